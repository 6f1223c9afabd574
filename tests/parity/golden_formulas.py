"""Every published family's formula, written out on one plain, unbatched forward pass of transformers.

Nothing of the service is used: texts are put together as each family's published script does, tokenised by
transformers, and read off the logits or hidden states by index.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForCausalLM, LlamaConfig, LlamaModel, PreTrainedTokenizerFast

QWEN_SYSTEM = r"Please reason step by step, and put your final answer within \boxed{}."
DATE = {"date_string": "26 Jul 2024"}


@dataclass(frozen=True)
class Opened:
    """A checkpoint as transformers has it: `hidden` and `logits` are [positions, columns]."""

    directory: Path
    reference: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokenizer", PreTrainedTokenizerFast.from_pretrained(self.directory))
        object.__setattr__(self, "weights", load_file(self.directory / "model.safetensors"))
        object.__setattr__(self, "models", {})

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def chat(self, *turns: tuple[str, str], **variables: Any) -> str:
        messages = [{"role": role, "content": content} for role, content in turns]
        return self.tokenizer.apply_chat_template(messages, tokenize=False, **variables)

    @torch.no_grad()
    def hidden(self, token_ids: Sequence[int]) -> torch.Tensor:
        if "trunk" not in self.models:
            self.models["trunk"] = AutoModel.from_pretrained(self.directory, dtype=torch.float32).eval()
        return self.models["trunk"](torch.tensor([token_ids])).last_hidden_state[0]

    @torch.no_grad()
    def logits(self, token_ids: Sequence[int], directory: Path | None = None) -> torch.Tensor:
        directory = directory or self.directory
        if directory not in self.models:
            self.models[directory] = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
        return self.models[directory](torch.tensor([token_ids])).logits[0].double()

    def linear(self, name: str, inputs: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(inputs, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def two_layers(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.linear("score.2", torch.relu(self.linear("score.0", inputs)))


Answer = tuple[list[float], int]
"""Step scores, or one score of the whole solution, and the number of tokens."""


def numbered(steps: Sequence[str]) -> list[str]:
    return [step if step.lower().startswith("step ") else f"Step {n}: {step}" for n, step in enumerate(steps, 1)]


def pair(logits: torch.Tensor, positions: Sequence[int], good: int, bad: int) -> list[float]:
    return logits[list(positions)][:, [good, bad]].softmax(-1)[:, 0].tolist()


def qwen_prm(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    answer = "<extra_0>".join(steps) + "<extra_0>"
    token_ids = model.ids(model.chat(("system", QWEN_SYSTEM), ("user", problem), ("assistant", answer)))
    tag = model.tokenizer.convert_tokens_to_ids("<extra_0>")
    places = [place for place, token in enumerate(token_ids) if token == tag]
    return model.two_layers(model.hidden(token_ids))[places].double().softmax(-1)[:, 1].tolist(), len(token_ids)


def math_shepherd(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    text = f"{problem} " + "\n".join(f"{step} ки" for step in numbered(steps))
    token_ids = [model.tokenizer.bos_token_id, *model.ids(text)]
    good, bad = model.ids("+ -")
    (tag,) = model.ids("ки")
    places = [place for place, token in enumerate(token_ids) if token == tag]
    return pair(model.logits(token_ids), places, good, bad), len(token_ids)


def er_prm(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    text = f"{problem} " + "\n".join(f"{step} ки" for step in numbered(steps))
    token_ids = [model.tokenizer.bos_token_id, *model.ids(text.replace(" ки\n", " ки"))]
    tag, good, bad = (model.ids(word)[-1] for word in (" ки", " +", " -"))
    places = [place for place, token in enumerate(token_ids) if token == tag]
    return pair(model.logits(token_ids), places, good, bad), len(token_ids)


def rlhflow_prm(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    """Once a step: the conversation up to its verdict, read three tokens before the end."""
    turns: list[tuple[str, str]] = []
    scores: list[float] = []
    token_ids: list[int] = []
    (good,), (bad,) = model.ids("+"), model.ids("-")
    for number, step in enumerate(steps):
        turns += [("user", step if number else f"{problem} {step}"), ("assistant", "+")]
        token_ids = model.ids(model.chat(*turns, **DATE))
        scores += pair(model.logits(token_ids), [len(token_ids) - 3], good, bad)
    return scores, len(token_ids)


def rlhflow_orm(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    solution = "\n\n".join(steps)
    token_ids = model.ids(model.chat(("user", f"{problem} {solution}"), ("assistant", "+"), **DATE))
    (good,), (bad,) = model.ids("+"), model.ids("-")
    return pair(model.logits(token_ids), [len(token_ids) - 3], good, bad), len(token_ids)


def separated(model: Opened, start: Sequence[int], steps: Sequence[str], separator: str) -> tuple[list[int], list[int]]:
    token_ids, places = list(start), []
    for step in steps:
        token_ids += model.ids(step) + model.ids(separator)
        places.append(len(token_ids) - 1)
    return token_ids, places


def skywork(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    start = model.ids(model.tokenizer.bos_token + problem + "\n")
    token_ids, places = separated(model, start, steps, "\n")
    values = model.linear("v_head.summary", model.hidden(token_ids))[places, 0].double()
    return torch.sigmoid(values).tolist(), len(token_ids)


def classified(model: Opened, token_ids: Sequence[int], places: Sequence[int], head: str = "score") -> torch.Tensor:
    return model.linear(head, model.hidden(token_ids))[list(places)].double().softmax(-1)


def trl(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    start = [model.tokenizer.bos_token_id, *model.ids(problem)]
    token_ids, places = separated(model, start, steps, "\n")
    return classified(model, token_ids, places)[:, 1].tolist(), len(token_ids)


def prm800k(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    start = [model.tokenizer.bos_token_id, *model.ids(problem + "\n")]
    token_ids, places = separated(model, start, steps, "\n")
    return classified(model, token_ids, places)[:, 1:].sum(-1).tolist(), len(token_ids)


def pure(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    token_ids, places = separated(model, model.ids(problem), steps, "\n\n")
    found = classified(model, token_ids, places)
    return (found[:, 1] - found[:, 0]).tolist(), len(token_ids)


def reasoneval(model: Opened, problem: str, steps: Sequence[str], separator: str, skipped: int) -> Answer:
    """The separator is put into the text, its places are noted, and it is taken out of the tokens again.

    The 7B model's separator is the BOS itself, which therefore goes too and is put back after the places were noted.
    """
    prompt = f"Question:\n{problem}\nAnswer:\nLet's think step by step.\n"
    text = prompt + separator + "".join(step + separator for step in steps)
    mark = model.tokenizer.convert_tokens_to_ids(separator)
    token_ids: list[int] = []
    places: list[int] = []
    for token in [model.tokenizer.bos_token_id, *model.ids(text)]:
        if token == mark:
            places.append(len(token_ids) - 1)
        else:
            token_ids.append(token)
    if mark == model.tokenizer.bos_token_id:
        token_ids = [mark, *token_ids]
    return classified(model, token_ids, places[skipped:], "score_head")[:, 1:].sum(-1).tolist(), len(token_ids)


def log_ratio(model: Opened, token_ids: Sequence[int]) -> torch.Tensor:
    """log p - log p_ref of each token but the first."""
    following = torch.tensor(token_ids[1:])[:, None]
    ours = model.logits(token_ids)[:-1].log_softmax(-1).gather(1, following)[:, 0]
    theirs = model.logits(token_ids, model.reference)[:-1].log_softmax(-1).gather(1, following)[:, 0]
    return ours - theirs


def eurus(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    """Each beginning is tokenised by itself; two less than its number of tokens is its place among the ratios."""
    written = numbered(steps)
    token_ids = model.ids(model.chat(("user", problem), ("assistant", "\n\n".join(written))))
    counts = []
    for number in range(len(written) + 1):
        text = model.chat(("user", problem), ("assistant", "\n\n".join(written[:number]))).strip()
        counts.append(len(model.ids(text if number in (0, len(written)) else text + "\n\n")) - 2)
    mask = torch.tensor([float(place >= counts[0]) for place in range(len(token_ids))])[1:]
    rewards = (0.001 * log_ratio(model, token_ids) * mask).cumsum(-1)
    return rewards[counts[1:]].tolist(), len(token_ids)


def implicit(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    """Each step's own tokens, which begin with the blank line before it."""
    pieces = ["\n\n" + step if number else step for number, step in enumerate(numbered(steps))]
    # This template trims the turn.
    pieces[0], pieces[-1] = pieces[0].lstrip(), pieces[-1].rstrip()
    text = model.chat(("user", problem), ("assistant", "".join(pieces)), **DATE)
    encoded = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    token_ids = encoded["input_ids"]
    ratios = [0.0, *log_ratio(model, token_ids).tolist()]
    first = text.rindex("".join(pieces))
    scores, begun = [], next(place for place, span in enumerate(encoded["offset_mapping"]) if span[0] >= first)
    for piece in pieces:
        first += len(piece)
        end = max(place for place, span in enumerate(encoded["offset_mapping"]) if span[0] < first) + 1
        scores.append(0.05 * math.fsum(ratios[begun:end]))
        begun = end
    return scores, len(token_ids)


def qwen_rm(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    turns = ("system", QWEN_SYSTEM), ("user", problem), ("assistant", "\n".join(steps))
    token_ids = model.ids(model.chat(*turns))
    return model.two_layers(model.hidden(token_ids)[-1:])[0].tolist(), len(token_ids)


def internlm2(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    """The trunk is a Llama, made again from the seed of the checkpoint."""
    text = model.chat(("user", problem), ("assistant", "\n".join(steps)))
    token_ids = [*model.ids(text), model.tokenizer.convert_tokens_to_ids("[UNUSED_TOKEN_130]")]
    with torch.no_grad():
        hidden = internlm2_trunk(model)(torch.tensor([token_ids])).last_hidden_state[0, -1:]
    return model.linear("v_head", hidden)[0].tolist(), len(token_ids)


def internlm2_trunk(model: Opened) -> LlamaModel:
    config = json.loads((model.directory / "config.json").read_text(encoding="utf-8"))
    trunk = LlamaModel(LlamaConfig(**{name: value for name, value in config.items() if name in TRUNK_SETTINGS})).eval()
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in trunk.named_parameters():
            parameter.normal_(0, 0.2, generator=random)
            if "norm" in name:
                parameter.add_(1)
    return trunk


TRUNK_SETTINGS = (
    *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    *("num_key_value_heads", "max_position_embeddings", "rms_norm_eps", "pad_token_id"),
)


def openrlhf(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    text = model.chat(("user", problem), ("assistant", "\n".join(steps))).rstrip("\n")
    assert text.endswith(model.tokenizer.eos_token)
    token_ids = model.ids(text)
    return model.linear("score", model.hidden(token_ids)[-1:])[0].tolist(), len(token_ids)


def sequence_classification(model: Opened, problem: str, steps: Sequence[str]) -> Answer:
    token_ids = model.ids(model.chat(("user", problem), ("assistant", "\n".join(steps))))
    return model.linear("score", model.hidden(token_ids)[-1:])[0].tolist(), len(token_ids)


FORMULAS: dict[str, Callable[[Opened, str, Sequence[str]], Answer]] = {
    "qwen2.5-math-prm": qwen_prm,
    "math-shepherd": math_shepherd,
    "er-prm": er_prm,
    "rlhflow-prm": rlhflow_prm,
    "rlhflow-orm": rlhflow_orm,
    "skywork-o1-open-prm": skywork,
    "trl-prm": trl,
    "pure-prm": pure,
    "prm800k": prm800k,
    "eurus-prm": eurus,
    "implicit-prm": implicit,
    "reasoneval-7b": lambda model, problem, steps: reasoneval(model, problem, steps, "<s>", 2),
    "reasoneval-34b": lambda model, problem, steps: reasoneval(model, problem, steps, "</s>", 1),
    "qwen2.5-math-rm": qwen_rm,
    "internlm2-reward": internlm2,
    "openrlhf": openrlhf,
    "sequence-classification": sequence_classification,
}

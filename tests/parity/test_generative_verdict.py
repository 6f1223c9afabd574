"""A verifier's scores equal its formula written out on transformers' own generation and plain forward passes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch

from surefoot.domain import Prompt, SamplingOptions, ScoreTask
from surefoot.generative.critique import critique_seed
from surefoot.sampling.life import PolicySource
from surefoot.sampling.transformers_sampler import TransformersSampler

TOLERANCE = 1e-5
MAX_TOKENS = 48
NEVER_SAID = "Is it right? "
PROFILE = """
name = "tiny-critic"
title = "Writes noise"
kind = "outcome"
scale = "probability"
[rendering]
method = "final_verdict"
turn = "Check this. {{problem}}\\n{{solution}}"
opening = "\\nLet us see:"
[readout]
method = "generative_verdict"
positive = "Yes"
negative = "No"
cue = {cue}
max_tokens = 48
{further}
"""


@dataclass
class Formula:
    """The same steps by hand."""

    opened: Any

    def prompt(self, task: ScoreTask) -> list[int]:
        solution = "\n".join(task.steps or ())
        turn = f"<|im_start|>user\nCheck this. {task.problem}\n{solution}<|im_end|>\n<|im_start|>assistant\n"
        return self.opened.ids(f"{turn}\nLet us see:")

    @torch.inference_mode()
    def greedy(self, prompt: list[int]) -> list[int]:
        tokens = torch.tensor([prompt])
        drawn = self.opened.model.generate(
            tokens, attention_mask=torch.ones_like(tokens), do_sample=False, max_new_tokens=MAX_TOKENS, pad_token_id=256
        )
        return drawn[0, len(prompt) :].tolist()

    def text(self, token_ids: Sequence[int]) -> str:
        return self.opened.tokenizer.decode(list(token_ids), skip_special_tokens=True)

    def up_to_last(self, cue: str, critique: Sequence[int]) -> list[int]:
        """The tokens up to the one that completes the last cue, found one by one. A missing cue stands behind the last
        token that is text."""
        num_cues = self.text(critique).count(cue)
        if not num_cues:
            spoken = max(place for place, token in enumerate(critique, start=1) if self.text([token]))
            return [*critique[:spoken], *self.opened.ids(cue)]
        length = next(
            length for length in range(len(critique) + 1) if self.text(critique[:length]).count(cue) == num_cues
        )
        return list(critique[:length])

    @torch.inference_mode()
    def score(self, cue: str, prompt: list[int], critique: Sequence[int]) -> float:
        """P(Yes) / (P(Yes) + P(No)) for the token behind the cue."""
        tokens = [*prompt, *self.up_to_last(cue, critique)]
        logits = self.opened.model(torch.tensor([tokens]), use_cache=False).logits[0, -1].double()
        (yes,), (no,) = self.opened.ids("Yes"), self.opened.ids("No")
        return float(logits[[yes, no]].softmax(-1)[0])

    def letter_said(self, critiques: Sequence[Sequence[int]]) -> str:
        """A character that is a token of its own, of those the one that is said most often before a critique's end."""
        said = Counter(self.text([token]) for critique in critiques for token in critique[:-1])
        merged = "".join(text for text in said if len(text) > 1)
        return next(text for text, _ in said.most_common() if text.isascii() and text.isalnum() and text not in merged)


@pytest.fixture
def critic(serve, tmp_path: Path) -> Callable[..., Any]:
    """Serves a tiny checkpoint as a verifier that is read behind `cue`; `readout` is further TOML of its readout."""

    async def open_critic(directory: Path, cue: str, readout: str = "", **settings: Any) -> Any:
        profile = tmp_path / "critic.toml"
        profile.write_text(PROFILE.format(cue=json.dumps(cue), further=readout), encoding="utf-8")
        return await serve({"critic": (str(profile), directory)}, **settings)

    return open_critic


@pytest.mark.parametrize("family", ["llama", "qwen2", "mistral"])
async def test_greedy_critiques_are_read_behind_their_last_cue(tiny, reference, critic, problems, family: str) -> None:
    formula, tasks = Formula(reference(tiny(family))), problems(3)
    prompts = [formula.prompt(task) for task in tasks]
    critiques = [formula.greedy(prompt) for prompt in prompts]
    cue = formula.letter_said(critiques)
    served = await critic(tiny(family), cue)
    scores = [score.score for score in await served.scores("critic", tasks)]
    expected = [formula.score(cue, *pair) for pair in zip(prompts, critiques, strict=True)]
    assert scores == pytest.approx(expected, abs=TOLERANCE)


async def test_a_cue_that_is_never_said_is_appended(tiny, reference, critic, odd_task: ScoreTask) -> None:
    formula = Formula(reference(tiny("llama")))
    prompt = formula.prompt(odd_task)
    served = await critic(tiny("llama"), NEVER_SAID)
    (score,) = await served.scores("critic", [odd_task])
    assert score.score == pytest.approx(formula.score(NEVER_SAID, prompt, formula.greedy(prompt)), abs=TOLERANCE)


async def test_sampled_critiques_are_averaged(tiny, reference, critic, problems) -> None:
    formula, (task,) = Formula(reference(tiny("llama"))), problems(1)
    prompt = formula.prompt(task)
    sampler = TransformersSampler(
        "same", lambda: PolicySource(tiny("llama"), "same"), dtype="float32", device="cpu", max_context_tokens=4096
    )
    options = SamplingOptions(n=4, temperature=0.8, top_p=1.0, max_tokens=MAX_TOKENS, seed=critique_seed(prompt))
    drawn = [candidate.token_ids async for candidate in sampler.sample(Prompt((), tuple(prompt)), options)]
    await sampler.close()
    assert len(set(drawn)) == 4
    cue = formula.letter_said(drawn)
    served = await critic(tiny("llama"), cue, "samples = 4\nsampling_temperature = 0.8")
    (score,) = await served.scores("critic", [task])
    expected = fmean(formula.score(cue, prompt, critique) for critique in drawn)
    assert score.score == pytest.approx(expected, abs=TOLERANCE)


async def test_sampled_critiques_score_the_same_again(tiny, critic, problems) -> None:
    served = await critic(tiny("llama"), NEVER_SAID, "samples = 3\nsampling_temperature = 1.0")
    (task,) = problems(1)
    assert await served.scores("critic", [task]) == await served.scores("critic", [task])


async def test_scored_tokens_are_prompt_and_critique_up_to_the_cue(tiny, reference, critic, problems) -> None:
    formula, (task,) = Formula(reference(tiny("llama"))), problems(1)
    prompt = formula.prompt(task)
    critique = formula.greedy(prompt)
    cue = formula.letter_said([critique])
    (score,) = await (await critic(tiny("llama"), cue)).scores("critic", [task])
    assert score.num_tokens == len(prompt) + len(formula.up_to_last(cue, critique))


async def test_a_verdict_read_one_token_early_would_be_noticed(tiny, reference, critic, problems) -> None:
    formula, (task,) = Formula(reference(tiny("llama"))), problems(1)
    prompt = formula.prompt(task)
    critique = formula.greedy(prompt)
    (score,) = await (await critic(tiny("llama"), NEVER_SAID)).scores("critic", [task])
    shifted = formula.score(NEVER_SAID, prompt, critique[:-1])
    assert abs(score.score - shifted) > 100 * TOLERANCE

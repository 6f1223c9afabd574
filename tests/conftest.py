"""Tiny random checkpoints with a real tokenizer, and the real scoring line on top of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from surefoot.domain import GroupScore, ScoreOptions, ScoreTask, SolutionScore
from surefoot.ports import SilentTelemetry
from surefoot.registry import Registry
from surefoot.settings import ModelSettings, Settings

SPECIAL_TOKENS = ("<|endoftext|>", "<|bos|>", "<|im_start|>", "<|im_end|>")
CONTROL_TOKENS_NOT_MARKED_SPECIAL = ("<think>", "<|tool|>")
WHITESPACE_TOKEN = "    "
# ".\n" becomes one token, so that a text tokenised whole differs from its pieces tokenised alone.
MERGES = (("Y", "e"), ("Ye", "s"), ("N", "o"), (".", "\u010a"))
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

SIZES: dict[str, Any] = {
    "vocab_size": 320,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 16_384,
    "bos_token_id": 257,
    "eos_token_id": 259,
    "pad_token_id": 256,
}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("LlamaForCausalLM", {}),
    "qwen2": ("Qwen2ForCausalLM", {}),
    "mistral": ("MistralForCausalLM", {"sliding_window": 48, "head_dim": 16}),
    "gemma2": ("Gemma2ForCausalLM", {"head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 4096}),
    "granite": ("GraniteForCausalLM", {"logits_scaling": 4.0}),
    "cohere": ("CohereForCausalLM", {"logit_scale": 0.25}),
    "qwen2_tokens": ("Qwen2ForTokenClassification", {"num_labels": 2}),
    "llama_reward": ("LlamaForSequenceClassification", {"num_labels": 1}),
}
"""The class, and what its configuration has beyond `SIZES`. Mistral's window is shorter than the inputs of the tests,
and Gemma 2 has soft caps, which the packed pass does not compute."""


def write_tokenizer(directory: Path) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, *SPECIAL_TOKENS, *("".join(pair) for pair in MERGES)]
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, list(MERGES)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.add_tokens([AddedToken(token, special=False) for token in CONTROL_TOKENS_NOT_MARKED_SPECIAL])
    tokenizer.add_tokens([AddedToken(WHITESPACE_TOKEN, special=False)])
    wrapper = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|bos|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        unk_token="<|endoftext|>",
    )
    wrapper.chat_template = CHATML
    wrapper.save_pretrained(directory)


@dataclass(frozen=True)
class TinyCheckpoints:
    """Writes each checkpoint once a session; tests only read them."""

    root: Path
    written: dict[str, Path] = field(default_factory=dict)

    def __call__(self, family: str, *, seed: int = 0, head_scale: float = 1.0, **changes: Any) -> Path:
        """The directory of that family's checkpoint in fp32, its head's weights multiplied by `head_scale`."""
        key = json.dumps([family, seed, head_scale, changes], sort_keys=True)
        if key not in self.written:
            self.written[key] = self._write(family, seed, head_scale, changes)
        return self.written[key]

    def _write(self, family: str, seed: int, head_scale: float, changes: dict[str, Any]) -> Path:
        import torch
        import transformers

        transformers.utils.logging.disable_progress_bar()
        architecture, extras = FAMILIES[family]
        model_class = getattr(transformers, architecture)
        model = model_class(model_class.config_class(**SIZES | extras | {"tie_word_embeddings": False} | changes))
        random = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.normal_(0, 0.2, generator=random)
                if "norm" in name and name.endswith("weight"):
                    parameter.add_(1)
                if name.split(".")[0] in ("lm_head", "score"):
                    parameter.mul_(head_scale)
        directory = self.root / f"{family}-{len(self.written)}"
        model.save_pretrained(directory)
        write_tokenizer(directory)
        return directory


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyCheckpoints:
    """Makes tiny checkpoints: `tiny("llama")`, `tiny("qwen2_tokens", num_labels=3)`."""
    return TinyCheckpoints(tmp_path_factory.mktemp("checkpoints"))


@dataclass
class RecordingTelemetry(SilentTelemetry):
    """Remembers how many inputs each forward pass held, and how many wait."""

    batch_sizes: list[int] = field(default_factory=list)
    num_waiting: int = 0

    def batch_forwarded(
        self, model: str, num_items: int, num_tokens: int, queue_s: Sequence[float], forward_s: float
    ) -> None:
        self.batch_sizes.append(num_items)

    def queue_changed(self, model: str, num_requests: int, num_tokens: int) -> None:
        self.num_waiting = num_requests


@dataclass
class Served:
    """Reward models as the service has them."""

    registry: Registry
    telemetry: RecordingTelemetry

    async def group(self, name: str, tasks: Sequence[ScoreTask], **options: Any) -> GroupScore:
        return await self.registry.get(name).line.score_group(tasks, ScoreOptions(**options))

    async def scores(self, name: str, tasks: Sequence[ScoreTask], **options: Any) -> list[SolutionScore]:
        """Scores of `tasks` as one group; an item's error is raised."""
        results = (await self.group(name, tasks, **options)).results
        for result in results:
            if isinstance(result, Exception):
                raise result
        return [result for result in results if isinstance(result, SolutionScore)]


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Any]]:
    """Loads models the way the service does: `await serve({"prm": ("embedded-prm", directory)}, dtype="bfloat16")`."""
    from surefoot.wiring.models import ModelLoader

    opened: list[Registry] = []

    async def load(models: dict[str, tuple[str, Path]], **settings: Any) -> Served:
        named = [ModelSettings(name=name, profile=profile, path=str(path)) for name, (profile, path) in models.items()]
        chosen = {"device": "cpu", "dtype": "float32", "max_input_tokens": 16_384} | settings
        telemetry = RecordingTelemetry()
        registry = ModelLoader(Settings(models=named, **chosen), telemetry).registry()
        opened.append(registry)
        await registry.load_all()
        assert registry.is_ready(), registry.states()
        return Served(registry, telemetry)

    yield load
    for registry in opened:
        await registry.close()


@pytest.fixture(scope="session")
def difference() -> Callable[[Sequence[float], Sequence[float]], float]:
    """The largest absolute difference of two equally long lists of numbers, of which there is at least one."""
    return lambda left, right: max(abs(a - b) for a, b in zip(left, right, strict=True))

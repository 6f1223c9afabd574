"""A generator's adapter in real vLLM: greedily it draws what the transformers sampler draws, and the base does not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from surefoot.domain import Message, SampledCandidate, SamplingOptions
from surefoot.ports import Sampler
from surefoot.settings import GeneratorSettings, Settings
from surefoot.wiring.generators import build_generator
from tiny_adapters import write_tiny_adapter

pytestmark = [
    # vLLM is imported into this process, warns of what torch has deprecated and leaves a context of its own open.
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning:torch",
        "ignore::FutureWarning:vllm",
        "ignore:Unclosed context:ResourceWarning",
    ),
]

GREEDY = SamplingOptions(n=1, temperature=0.0, max_tokens=16, logprobs=True)
TOLERANCE = 1e-3


@pytest.fixture
async def opened(tiny, tmp_path: Path) -> AsyncIterator[Callable[..., Sampler]]:
    """Samplers on a tiny checkpoint whose heads are as wide as vLLM needs them: `opened("vllm", adapted=True)`."""
    base = tiny("llama", num_attention_heads=2)
    adapter = write_tiny_adapter(base, tmp_path / "adapter")
    samplers: list[Sampler] = []

    def build(engine: str, *, adapted: bool) -> Sampler:
        wanted = {"engine": engine, "path": str(base), "dtype": "float32", "max_context_tokens": 512}
        wanted |= {"adapter": str(adapter)} if adapted else {}
        settings = Settings(device="cpu", generator=GeneratorSettings.model_validate(wanted))
        samplers.append(build_generator(settings).sampler)
        return samplers[-1]

    yield build
    for sampler in samplers:
        await sampler.close()


async def greedy(sampler: Sampler) -> SampledCandidate:
    prompt = await sampler.encode_prompt([Message("user", "What is 2 + 3?")])
    (candidate,) = [candidate async for candidate in sampler.sample(prompt, GREEDY)]
    return candidate


async def test_vllm_draws_with_the_adapter_what_transformers_draws(opened) -> None:
    base = await greedy(opened("transformers", adapted=False))
    expected, drawn = await greedy(opened("transformers", adapted=True)), await greedy(opened("vllm", adapted=True))
    assert drawn.token_ids == expected.token_ids != base.token_ids
    assert drawn.logprobs == pytest.approx(expected.logprobs, abs=TOLERANCE)

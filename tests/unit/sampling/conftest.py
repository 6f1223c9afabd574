"""Transformers samplers on tiny checkpoints, closed with the test."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from surefoot.sampling.life import PolicySource
from surefoot.sampling.transformers_sampler import TransformersSampler


@pytest.fixture
async def open_sampler() -> AsyncIterator[Callable[..., TransformersSampler]]:
    opened: list[TransformersSampler] = []

    def build(directory: Path, *, max_context_tokens: int = 256) -> TransformersSampler:
        sampler = TransformersSampler(
            "policy",
            lambda: PolicySource(directory, "tiny-policy"),
            dtype="float32",
            device="cpu",
            max_context_tokens=max_context_tokens,
        )
        opened.append(sampler)
        return sampler

    yield build
    for sampler in opened:
        await sampler.close()


@pytest.fixture
def sampler(open_sampler, tiny) -> TransformersSampler:
    return open_sampler(tiny("llama"))

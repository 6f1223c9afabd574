"""When the transformers sampler loads, and what it says when it cannot."""

import shutil
from pathlib import Path

import pytest

from surefoot.domain import Message
from surefoot.errors import CheckpointMissing, SamplerUnavailable
from surefoot.sampling.life import PolicySource
from surefoot.sampling.transformers_sampler import TransformersSampler

MESSAGES = [Message("user", "What is 2 + 3?")]


async def test_nothing_is_loaded_before_the_first_use(sampler) -> None:
    assert (sampler.state().state, sampler.fingerprint) == ("idle", None)


async def test_first_use_loads(sampler) -> None:
    await sampler.encode_prompt(MESSAGES)
    assert (sampler.state().state, sampler.fingerprint) == ("ready", "tiny-policy")


async def test_missing_checkpoint_makes_it_unavailable_and_says_why(open_sampler, tmp_path: Path) -> None:
    sampler = open_sampler(tmp_path / "nowhere")
    with pytest.raises(SamplerUnavailable, match="nowhere"):
        await sampler.start()
    assert sampler.state().state == "failed"
    assert "nowhere" in sampler.state().detail


async def test_missing_policy_source_makes_it_unavailable(tiny) -> None:
    def prepare() -> PolicySource:
        raise CheckpointMissing("the embedded base model is not installed")

    sampler = TransformersSampler("policy", prepare, dtype="float32", device="cpu", max_context_tokens=64)
    with pytest.raises(SamplerUnavailable, match="not installed"):
        await sampler.start()
    await sampler.close()


async def test_checkpoint_that_appears_later_is_loaded(open_sampler, tiny, tmp_path: Path) -> None:
    sampler = open_sampler(tmp_path / "late")
    with pytest.raises(SamplerUnavailable):
        await sampler.start()
    shutil.copytree(tiny("llama"), tmp_path / "late")
    await sampler.start()
    assert sampler.state().state == "ready"

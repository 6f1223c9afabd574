"""A generator's adapter: what it changes, what vLLM is told of it, and what is refused."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import torch
import transformers
from peft import PeftModel

from surefoot.domain import Message, SamplingOptions
from surefoot.errors import AdapterInvalid, AdapterMismatch, SamplerUnavailable
from surefoot.modeling.adapters import Adapter, LowRank
from surefoot.sampling.life import PolicySource
from surefoot.sampling.policy_adapter import (
    PolicyAdapter,
    preface_facts,
    read_policy_adapter,
    warn_of_other_preface,
)
from surefoot.sampling.transformers_sampler import TransformersSampler
from surefoot.sampling.vllm_sampler import lora_arguments
from tiny_adapters import write_tiny_adapter

MESSAGES = [Message("user", "What is 2 + 3?")]
GREEDY = SamplingOptions(n=1, temperature=0.0, max_tokens=24)
PREFACE = (Message("system", "Be brief."),)


@pytest.fixture
def adapter(tiny, tmp_path: Path) -> PolicyAdapter:
    return read_policy_adapter(write_tiny_adapter(tiny("llama"), tmp_path / "adapter"), "any")


@pytest.fixture
async def adapted(tiny, adapter: PolicyAdapter):
    source = PolicySource(tiny("llama"), "tiny+adapter", adapter)
    sampler = TransformersSampler("policy", lambda: source, dtype="float32", device="cpu", max_context_tokens=256)
    yield sampler
    await sampler.close()


async def greedy(sampler: TransformersSampler) -> tuple[int, ...]:
    prompt = await sampler.encode_prompt(MESSAGES)
    (candidate,) = [candidate async for candidate in sampler.sample(prompt, GREEDY)]
    return candidate.token_ids


async def test_it_changes_what_is_drawn(sampler, adapted) -> None:
    assert await greedy(adapted) != await greedy(sampler)


async def test_what_is_drawn_is_what_peft_generates(tiny, adapted, adapter: PolicyAdapter) -> None:
    base = transformers.AutoModelForCausalLM.from_pretrained(tiny("llama"), dtype=torch.float32)
    model = PeftModel.from_pretrained(base, str(adapter.directory)).eval()
    prompt = torch.tensor([(await adapted.encode_prompt(MESSAGES)).token_ids])
    expected = model.generate(
        input_ids=prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=GREEDY.max_tokens
    )
    assert await greedy(adapted) == tuple(expected[0, prompt.shape[1] :].tolist())


async def test_layers_that_the_model_does_not_have_make_it_unavailable(tiny) -> None:
    low_rank = LowRank(torch.ones(2, 64), torch.ones(64, 2), 1.0)
    foreign = PolicyAdapter(Path("foreign"), Adapter("a" * 16, None, {"model.layers.9.mlp.up_proj": low_rank}))
    source = PolicySource(tiny("llama"), "tiny", foreign)
    sampler = TransformersSampler("policy", lambda: source, dtype="float32", device="cpu", max_context_tokens=64)
    with pytest.raises(SamplerUnavailable, match=r"the adapter changes model\.layers\.9"):
        await sampler.start()
    await sampler.close()


def test_another_base_is_refused(tiny, tmp_path: Path) -> None:
    directory = write_tiny_adapter(tiny("llama"), tmp_path / "adapter", facts={"base_id": "aaaa"})
    with pytest.raises(AdapterMismatch, match="trained for the base aaaa"):
        read_policy_adapter(directory, "bbbb")


def test_a_directory_without_an_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterInvalid, match=r"adapter_config\.json"):
        read_policy_adapter(tmp_path, "any")


def test_without_an_adapter_vllm_is_told_nothing() -> None:
    assert lora_arguments(None) == {}


def of_rank(rank: int) -> PolicyAdapter:
    low_rank = LowRank(torch.ones(rank, 4), torch.ones(4, rank), 1.0)
    return PolicyAdapter(Path("adapter"), Adapter("a" * 16, None, {"model.layers.0.mlp.up_proj": low_rank}))


@pytest.mark.parametrize(("rank", "bound"), [(1, 8), (8, 8), (9, 16), (16, 16), (24, 32), (512, 512)])
def test_vllm_is_started_for_the_rank_at_hand(rank: int, bound: int) -> None:
    assert lora_arguments(of_rank(rank)) == {"enable_lora": True, "max_lora_rank": bound, "max_loras": 1}


def test_a_rank_beyond_vllms_is_refused_with_the_way_out() -> None:
    with pytest.raises(AdapterMismatch, match=r"512 at most: set generator\.engine to transformers"):
        lora_arguments(of_rank(513))


def test_the_bounds_are_ranks_that_vllm_takes() -> None:
    from typing import get_args

    from vllm.config.lora import MaxLoRARanks

    from surefoot.sampling.vllm_sampler import LORA_RANKS

    assert set(LORA_RANKS) <= set(get_args(MaxLoRARanks))


@pytest.mark.parametrize(
    ("facts", "num_warnings"),
    [
        (None, 0),
        ({"base_id": "aaaa"}, 0),
        (preface_facts(PREFACE), 0),
        (preface_facts(()), 1),
        (preface_facts([Message("system", "Be long.")]), 1),
    ],
)
def test_other_instructions_than_in_training_are_logged(tmp_path: Path, caplog, facts, num_warnings: int) -> None:
    if facts is not None:
        (tmp_path / "surefoot.json").write_text(json.dumps(facts), encoding="utf-8")
    with caplog.at_level(logging.WARNING, logger="surefoot"):
        warn_of_other_preface("policy", tmp_path, PREFACE)
    assert len(caplog.records) == num_warnings
    assert "Be brief" not in caplog.text

"""How many tokens a pass takes where nothing is set, few on a CPU and more elsewhere, and how long it may take."""

import math

import pytest
import torch

from surefoot.settings import Settings
from surefoot.wiring.engines import BATCH_TOKENS, CPU_BATCH_TOKENS, CPU_BULK_TOKENS, scheduler_limits


@pytest.mark.parametrize(
    ("kind", "device", "expected"),
    [
        ("transformers", "cpu", CPU_BATCH_TOKENS),
        ("log_ratio", "cpu", CPU_BATCH_TOKENS),
        ("vllm_server", "cpu", BATCH_TOKENS),
        ("transformers", "cuda", BATCH_TOKENS),
    ],
)
def test_a_pass_takes_what_its_device_is_fast_with(monkeypatch, kind, device: str, expected: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cuda")
    assert scheduler_limits(kind, Settings(models=[])).max_batch_tokens == expected


@pytest.mark.parametrize(
    ("kind", "device", "scheduler", "expected"),
    [
        ("transformers", "cpu", {}, CPU_BULK_TOKENS),
        ("transformers", "cpu", {"max_batch_tokens": 9_000}, CPU_BULK_TOKENS),
        ("transformers", "cpu", {"max_bulk_batch_tokens": 9_000}, 9_000),
        ("transformers", "cuda", {}, BATCH_TOKENS),
        ("vllm", "cpu", {"max_batch_tokens": 9_000}, 9_000),
    ],
)
def test_bulk_is_kept_short_where_passes_are_slow(monkeypatch, kind, device, scheduler, expected) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cuda")
    assert scheduler_limits(kind, Settings(models=[], scheduler=scheduler)).max_bulk_batch_tokens == expected


def test_an_input_as_long_as_may_be_fits() -> None:
    settings = Settings(models=[], max_input_tokens=30_000)
    assert scheduler_limits("transformers", settings).max_batch_tokens == 30_000


def test_what_is_set_is_taken() -> None:
    settings = Settings(models=[], scheduler={"max_batch_tokens": 5_000, "max_queue_items": 7})
    limits = scheduler_limits("transformers", settings)
    assert (limits.max_batch_tokens, limits.max_queue_items) == (5_000, 7)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [("transformers", 9.0, 9.0), ("transformers", 0, math.inf), ("vllm", 9.0, 9.0), ("vllm_server", 9.0, math.inf)],
)
def test_a_pass_is_given_up_after_its_time_where_that_helps(kind, given: float, expected: float) -> None:
    settings = Settings(models=[], scheduler={"stuck_after_s": given})
    assert scheduler_limits(kind, settings).stuck_after_s == expected

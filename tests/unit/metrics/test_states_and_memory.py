"""What is looked up at every scrape."""

import sys
from types import SimpleNamespace

import pytest

from pretended_gpu import torch_with_one_gpu
from surefoot.metrics.memory import gpu_memory, limit_bytes, resident_bytes

MEMINFO = "MemTotal:       1000 kB\nMemFree:        500 kB\n"


def test_one_state_of_a_model_is_one(telemetry, value) -> None:
    telemetry.watch(lambda: {"prm": "loading", "orm": "failed"}, dict)
    shown = [value("model_state", model="orm", state=state) for state in ("loading", "ready", "failed")]
    assert shown == [0, 0, 1]


def test_states_are_those_at_the_scrape(telemetry, value) -> None:
    states = {"default": "starting"}
    telemetry.watch(dict, lambda: states)
    states["default"] = "ready"
    assert value("generator_state", generator="default", state="ready") == 1


@pytest.mark.parametrize("name", ["prompt_tokens_total", "cached_tokens_total", "probabilities_total"])
def test_counters_of_a_model_start_at_zero(telemetry, value, name) -> None:
    telemetry.watch(lambda: {"prm": "loading"}, dict)
    assert value(name, model="prm") == 0


def test_failures_of_a_generator_start_at_zero(telemetry, value) -> None:
    telemetry.watch(dict, lambda: {"default": "idle"})
    assert value("sampler_failures_total", generator="default") == 0


def test_this_process_takes_memory(value) -> None:
    assert 10 * 2**20 < value("memory_resident_bytes") < value("memory_limit_bytes")


def test_without_proc_nothing_is_told(tmp_path) -> None:
    assert (resident_bytes(tmp_path), limit_bytes(tmp_path, tmp_path)) == (None, None)


@pytest.mark.parametrize(
    ("file", "text", "limit"),
    [
        ("memory.max", "4096\n", 4096),
        ("memory.max", "max\n", 1000 * 1024),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", 1000 * 1024),
    ],
)
def test_the_smaller_limit_holds(tmp_path, file, text, limit) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO)
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    assert limit_bytes(tmp_path, tmp_path) == limit


def test_gpus_tell_what_is_held_and_what_may_be(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch_with_one_gpu(0.25))
    assert gpu_memory() == [("0", 100, 250)]


def test_gpus_that_nothing_uses_are_left_alone(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=SimpleNamespace(is_initialized=lambda: False)))
    assert gpu_memory() == []

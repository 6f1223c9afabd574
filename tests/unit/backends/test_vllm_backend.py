"""What vLLM's engine is started with, and what becomes of a batch when it dies; no engine is started here."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from forwarded import rows_of
from surefoot.backends import vllm_backend
from surefoot.backends.vllm_backend import OWN_ARGUMENTS, VllmBackend, VllmOptions, engine_arguments
from surefoot.backends.vllm_plan import PoolingPlan
from surefoot.domain import ForwardItem, RenderedInput
from surefoot.errors import BackendFailed, ModelStopped, SettingsInvalid, StartupError

# vLLM is imported for its parameters, and warns of what torch has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore::FutureWarning:vllm")

HERE = Path("/checkpoint")
EACH = PoolingPlan("each_token", 2)
KNOWN = {"quantization", "gpu_memory_utilization", "enforce_eager"}


def arguments(plan: PoolingPlan = EACH, **options: Any) -> dict[str, Any]:
    return engine_arguments(HERE, plan, VllmOptions("float32", 512, **options), KNOWN)


@pytest.mark.parametrize("argument", OWN_ARGUMENTS)
def test_an_argument_that_a_setting_decides_is_refused_with_that_setting(argument: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"engine_arguments.{argument} is decided by") as caught:
        arguments(engine_arguments={argument: "x"})
    assert OWN_ARGUMENTS[argument] in caught.value.message


def test_an_argument_that_vllm_does_not_know_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match=r"engine_arguments.quantisation is no argument"):
        arguments(engine_arguments={"quantisation": "fp8"})


def test_further_arguments_are_passed_on_and_win() -> None:
    made = arguments(gpu_memory_share=0.4, engine_arguments={"quantization": "fp8", "gpu_memory_utilization": 0.8})
    assert (made["quantization"], made["gpu_memory_utilization"]) == ("fp8", 0.8)


@pytest.mark.parametrize(
    ("mode", "pooler"),
    [
        ("each_token", {"task": "token_classify", "tok_pooling_type": "ALL"}),
        ("last_token", {"task": "classify", "seq_pooling_type": "LAST"}),
    ],
)
def test_the_mode_is_a_task_and_a_way_of_pooling(mode: Any, pooler: dict[str, str]) -> None:
    assert arguments(PoolingPlan(mode, 1))["pooler_config"] == pooler


@pytest.mark.parametrize(
    ("allow", "expected"),
    [
        ((), (False, "safetensors")),
        (("remote_code",), (True, "safetensors")),
        (("pickle_weights",), (False, "auto")),
    ],
)
def test_code_and_pickles_are_refused_unless_allowed(allow: tuple[str, ...], expected: tuple[bool, str]) -> None:
    made = arguments(allow=frozenset(allow))
    assert (made["trust_remote_code"], made["load_format"]) == expected


def test_memory_is_shared_on_a_gpu_alone() -> None:
    assert arguments(gpu_memory_share=0.4)["gpu_memory_utilization"] == 0.4
    assert "gpu_memory_utilization" not in arguments()


class Engine:
    """Stands for vLLM's `AsyncLLM`: the values of token t are [t, -t]. `token 0` kills it, `token 1` never ends."""

    def __init__(self) -> None:
        self.errored = False
        self.parameters: list[Any] = []
        self.waiting = threading.Event()

    async def encode(self, prompt: Any, parameters: Any, request_id: str) -> AsyncIterator[Any]:
        self.parameters.append(parameters)
        token_ids = prompt["prompt_token_ids"]
        if token_ids[0] == 0 or self.errored:
            self.errored = True
            raise RuntimeError("the engine is dead")
        if token_ids[0] == 1:
            self.waiting.set()
            await asyncio.Event().wait()
        values = torch.tensor([[float(token), -float(token)] for token in token_ids])
        yield SimpleNamespace(outputs=SimpleNamespace(data=values))

    def shutdown(self, timeout: float) -> None:
        self.errored = True


@pytest.fixture
def start(monkeypatch) -> Iterator[Callable[..., tuple[VllmBackend, list[Engine]]]]:
    """Opens a backend whose starts give these outcomes in turn; with it come the engines that were started."""
    opened: list[VllmBackend] = []

    def open_backend(*outcomes: Engine | StartupError) -> tuple[VllmBackend, list[Engine]]:
        coming, started = list(outcomes), []

        def next_start(backend: VllmBackend) -> Engine:
            outcome = coming.pop(0)
            if isinstance(outcome, StartupError):
                raise outcome
            started.append(outcome)
            return outcome

        monkeypatch.setattr(VllmBackend, "_start", next_start)
        opened.append(VllmBackend("prm", HERE, EACH, VllmOptions("float32", 512)))
        return opened[-1], started

    yield open_backend
    for backend in opened:
        backend.close()


def item(*token_ids: int) -> ForwardItem:
    return ForwardItem(RenderedInput(token_ids, (len(token_ids) - 1,)), "prm")


def test_rows_are_those_at_the_positions_in_order(start) -> None:
    backend, _ = start(Engine())
    assert rows_of(backend.forward([item(4, 5), item(6, 7, 8)])) == [((5.0, -5.0),), ((8.0, -8.0),)]


def test_raw_values_of_every_token_are_asked_for(start) -> None:
    engine = Engine()
    backend, _ = start(engine)
    backend.forward([item(4, 5)])
    assert [(asked.task, asked.use_activation) for asked in engine.parameters] == [("token_classify", False)]


def test_the_batch_after_an_engines_death_has_a_new_one(start) -> None:
    backend, started = start(Engine(), Engine())
    with pytest.raises(RuntimeError, match="dead"):
        backend.forward([item(0)])
    assert rows_of(backend.forward([item(4)])) == [((4.0, -4.0),)]
    assert (len(started), backend.num_restarts) == (2, 1)


def test_a_start_that_failed_is_not_repeated_for_each_batch(start, monkeypatch) -> None:
    backend, started = start(Engine(), SettingsInvalid("no memory"), Engine())
    with pytest.raises(RuntimeError, match="dead"):
        backend.forward([item(0)])
    with pytest.raises(SettingsInvalid):
        backend.forward([item(4)])
    with pytest.raises(BackendFailed, match="did not start again"):
        backend.forward([item(4)])
    assert len(started) == 1


def test_a_start_is_tried_again_after_a_pause(start, monkeypatch) -> None:
    monkeypatch.setattr(vllm_backend, "_RESTART_PAUSE_S", 0.0)
    backend, _ = start(Engine(), SettingsInvalid("no memory"), Engine())
    with pytest.raises(RuntimeError, match="dead"):
        backend.forward([item(0)])
    with pytest.raises(SettingsInvalid):
        backend.forward([item(4)])
    assert rows_of(backend.forward([item(4)])) == [((4.0, -4.0),)]


def test_an_engine_that_does_not_start_three_times_is_given_up(start, monkeypatch) -> None:
    monkeypatch.setattr(vllm_backend, "_RESTART_PAUSE_S", 0.0)
    backend, _ = start(Engine(), *(SettingsInvalid("no memory") for _ in range(3)))
    with pytest.raises(RuntimeError, match="dead"):
        backend.forward([item(0)])
    for expected in (SettingsInvalid, SettingsInvalid, ModelStopped):
        with pytest.raises(expected):
            backend.forward([item(4)])


def test_closing_ends_a_batch_that_still_waits(start) -> None:
    engine = Engine()
    backend, _ = start(engine)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(backend.forward, [item(1)])
        assert engine.waiting.wait(10)
        backend.close()
        with pytest.raises(concurrent.futures.CancelledError):
            waiting.result(10)


def test_a_closed_backend_starts_nothing(start) -> None:
    backend, started = start(Engine(), Engine())
    backend.close()
    with pytest.raises(BackendFailed, match="closed"):
        backend.forward([item(4)])
    assert len(started) == 1


def test_an_engine_that_does_not_start_leaves_no_thread(start) -> None:
    before = threading.active_count()
    with pytest.raises(SettingsInvalid):
        start(SettingsInvalid("no memory"))
    assert threading.active_count() == before

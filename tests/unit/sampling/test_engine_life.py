"""An engine starts once, its failures are remembered, and it can be started again."""

import asyncio
import logging

import pytest

from surefoot.callers import NOBODY, called_by, current_caller
from surefoot.errors import CheckpointMissing, SamplerUnavailable
from surefoot.request_context import RequestContext, current_request, within_request
from surefoot.sampling.life import EngineLife


class Engine:
    """Counts its starts; each waits until it is let go on."""

    def __init__(self, *failures: Exception) -> None:
        self.num_starts = 0
        self.go_on = asyncio.Event()
        self.begun = asyncio.Event()
        self._failures = list(failures)

    async def load(self) -> None:
        self.num_starts += 1
        self.begun.set()
        await self.go_on.wait()
        if self._failures:
            raise self._failures.pop(0)


@pytest.fixture
def life() -> EngineLife:
    return EngineLife("policy", "vllm")


def test_it_is_idle_until_the_first_use(life: EngineLife) -> None:
    snapshot = life.snapshot()
    assert (snapshot.name, snapshot.engine, snapshot.state) == ("policy", "vllm", "idle")


async def test_callers_at_the_same_time_share_one_start(life: EngineLife) -> None:
    engine = Engine()
    engine.go_on.set()
    await asyncio.gather(*(life.start(engine.load) for _ in range(20)))
    assert (engine.num_starts, life.snapshot().state) == (1, "ready")


async def test_it_says_that_it_is_starting(life: EngineLife) -> None:
    engine = Engine()
    starting = asyncio.create_task(life.start(engine.load))
    await engine.begun.wait()
    assert life.snapshot().state == "starting"
    engine.go_on.set()
    await starting


async def test_a_start_goes_on_when_its_first_caller_leaves(life: EngineLife) -> None:
    engine = Engine()
    first = asyncio.create_task(life.start(engine.load))
    await engine.begun.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert (first.cancelled(), life.snapshot().state) == (True, "starting")
    engine.go_on.set()
    await life.start(engine.load)
    assert (engine.num_starts, life.snapshot().state) == (1, "ready")


async def test_a_failure_that_nobody_waits_for_is_kept_in_the_state(life: EngineLife) -> None:
    engine = Engine(RuntimeError("no memory"))
    alone = asyncio.create_task(life.start(engine.load))
    await engine.begun.wait()
    alone.cancel()
    await asyncio.gather(alone, return_exceptions=True)
    engine.go_on.set()
    async with asyncio.timeout(5):
        while life.snapshot().state == "starting":  # noqa: ASYNC110 (the start's own task makes it true)
            await asyncio.sleep(0)
    assert "no memory" in life.snapshot().detail


async def test_failure_is_unavailable_with_the_reason(life: EngineLife) -> None:
    engine = Engine(CheckpointMissing("model directory m does not exist"))
    engine.go_on.set()
    with pytest.raises(SamplerUnavailable, match="vllm did not start: model directory m does not exist"):
        await life.start(engine.load)
    assert life.snapshot().state == "failed"
    assert "model directory m" in life.snapshot().detail


async def test_foreign_failure_is_named_by_its_class_and_kept_short(life: EngineLife) -> None:
    engine = Engine(RuntimeError("x" * 10_000))
    engine.go_on.set()
    with pytest.raises(SamplerUnavailable, match="RuntimeError: x"):
        await life.start(engine.load)
    assert len(life.snapshot().detail) < 400


async def test_failure_is_logged_with_its_traceback(life: EngineLife, caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine(RuntimeError("no memory"))
    engine.go_on.set()
    with caplog.at_level(logging.ERROR, logger="surefoot"), pytest.raises(SamplerUnavailable):
        await life.start(engine.load)
    assert [record.exc_info is not None for record in caplog.records] == [True]


async def test_failed_engine_is_started_again(life: EngineLife) -> None:
    engine = Engine(RuntimeError("no memory"))
    engine.go_on.set()
    with pytest.raises(SamplerUnavailable):
        await life.start(engine.load)
    await life.start(engine.load)
    assert (engine.num_starts, life.snapshot().state, life.snapshot().detail) == (2, "ready", "")


async def test_engine_that_died_is_started_again(life: EngineLife) -> None:
    engine = Engine()
    engine.go_on.set()
    await life.start(engine.load)
    life.failed("its process died")
    assert life.snapshot().detail == "its process died"
    await life.start(engine.load)
    assert engine.num_starts == 2


async def test_closing_waits_for_a_start_under_way(life: EngineLife) -> None:
    engine = Engine()
    starting = asyncio.create_task(life.start(engine.load))
    await engine.begun.wait()
    closing = asyncio.create_task(life.close())
    await asyncio.sleep(0)
    assert not closing.done()
    engine.go_on.set()
    await asyncio.gather(starting, closing)
    assert (life.snapshot().state, life.snapshot().detail) == ("idle", "closed")


async def test_a_closed_engine_is_not_started_again(life: EngineLife) -> None:
    engine = Engine()
    engine.go_on.set()
    await life.close()
    with pytest.raises(SamplerUnavailable, match="closed"):
        await life.start(engine.load)
    assert engine.num_starts == 0


async def test_what_is_started_belongs_to_no_request(life: EngineLife) -> None:
    seen: list[object] = []

    async def load() -> None:
        seen.extend((current_request(), current_caller()))

    with within_request(RequestContext("r-1")), called_by("alice"):
        await life.start(load)
    assert seen == [None, NOBODY]

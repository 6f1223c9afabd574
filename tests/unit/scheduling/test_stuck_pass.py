"""A forward pass that does not end is noticed, and nobody waits for it any longer."""

import asyncio
import logging
import math

import pytest

from forwarded import alone, outcomes
from surefoot.errors import ModelStopped, NotReady
from surefoot.scheduling.admission import Occupancy
from surefoot.scheduling.watchdog import is_stuck, look_every_s

# The clock is in the test's hand; only the looks at it, twenty in this time, are real.
STUCK_AFTER_S = 1.0


@pytest.mark.parametrize(("now", "stuck"), [(100.0, False), (109.9, False), (110.0, True), (200.0, True)])
def test_a_pass_is_stuck_once_its_time_is_over(now, stuck) -> None:
    assert is_stuck(100.0, now, 10.0) == stuck


def test_without_a_limit_no_pass_is_stuck() -> None:
    assert not is_stuck(0.0, 1e12, math.inf)


@pytest.mark.parametrize(("stuck_after_s", "every_s"), [(1.0, 0.05), (300.0, 1.0), (math.inf, 1.0)])
def test_a_pass_is_looked_at_often_enough(stuck_after_s, every_s) -> None:
    assert look_every_s(stuck_after_s) == every_s


@pytest.fixture
async def watched(open_line):
    line = open_line(stuck_after_s=STUCK_AFTER_S, max_batch_items=1)
    await line.scheduler.start()
    return line


@pytest.fixture
async def stuck(watched, item):
    """A line whose pass is stuck, with the futures of one running and two waiting inputs."""
    futures = await watched.hold_with(item()) + watched.submit(item(5), item(6))
    watched.clock.advance(STUCK_AFTER_S)
    await watched.until(lambda: watched.scheduler.fault is not None)
    return watched, futures


async def test_a_pass_within_its_time_is_left_alone(watched, item) -> None:
    futures = await watched.hold_with(item())
    watched.clock.advance(STUCK_AFTER_S * 0.99)
    await asyncio.sleep(3 * look_every_s(STUCK_AFTER_S))
    watched.backend.release()
    [result] = await outcomes(futures)
    assert (result.rows, watched.scheduler.fault) == (alone(item()), None)


async def test_every_waiting_caller_is_answered(stuck) -> None:
    _, futures = stuck
    assert [type(result) for result in await outcomes(futures)] == [ModelStopped] * 3
    assert all(future.exception().retryable for future in futures)


async def test_nothing_waits_behind_a_stuck_pass(stuck) -> None:
    line, _ = stuck
    assert line.scheduler.snapshot() == Occupancy(0, 0)
    assert line.telemetry.queue[-1] == ("fake", 0, 0)


async def test_nothing_is_admitted_behind_a_stuck_pass(stuck, item) -> None:
    line, _ = stuck
    with pytest.raises(NotReady, match="stuck: no forward pass finished in 1 s"):
        line.submit(item())


async def test_a_stuck_pass_is_logged_once(stuck, caplog: pytest.LogCaptureFixture) -> None:
    line, _ = stuck
    with caplog.at_level(logging.CRITICAL, logger="surefoot"):
        line.clock.advance(10 * STUCK_AFTER_S)
        await asyncio.sleep(3 * look_every_s(STUCK_AFTER_S))
    assert caplog.records == []


async def test_a_stuck_pass_that_ends_after_all_ends_the_fault(stuck, item) -> None:
    line, _ = stuck
    line.backend.release()
    await line.until(lambda: line.scheduler.fault is None)
    assert line.scheduler.faults["stuck_pass"] == 1
    [result] = await outcomes(line.submit(item(7)))
    assert result.rows == alone(item(7))


async def test_what_was_told_to_come_back_is_not_computed_afterwards(stuck, item) -> None:
    line, _ = stuck
    line.backend.release()
    await line.until(lambda: line.scheduler.is_accepting)
    await outcomes(line.submit(item(7)))
    assert line.backend.batches == [(item(),), (item(7),)]


async def test_a_scheduler_with_a_stuck_pass_closes_within_its_grace(stuck) -> None:
    line, _ = stuck
    line.backend.hang()
    line.backend.close()
    async with asyncio.timeout(5):
        await line.scheduler.close(0.01)
    assert line.scheduler.fault is not None


async def test_a_backend_that_gave_up_stops_the_scheduler(line, item) -> None:
    line.backend.fail_next(ModelStopped("the engine is lost"))
    futures = await line.hold_with(item(4), item(5)) + line.submit(item(6))
    line.backend.release()
    assert [type(result) for result in await outcomes(futures)] == [ModelStopped] * 3
    assert line.scheduler.fault == "stopped: the engine is lost"
    assert line.scheduler.faults["stopped"] == 1


async def test_an_ordinary_end_is_no_fault(line) -> None:
    await line.scheduler.close(1)
    assert line.scheduler.fault is None
    assert set(line.scheduler.faults.values()) == {0}

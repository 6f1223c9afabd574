"""How a scheduler ends: drained, out of grace or crashed, no caller waits for ever."""

import asyncio
import logging
import threading
from collections.abc import Sequence

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.errors import BackendFailed, ModelStopped, NotReady
from surefoot.scheduling.admission import Occupancy


def worker_threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(f"surefoot-{name}")]


async def test_accepted_work_finishes_within_the_grace(line, item) -> None:
    futures = await line.hold_with(item())
    futures += line.submit(item(40), item(40))
    closing = asyncio.create_task(line.scheduler.close(5))
    await asyncio.sleep(0)
    line.backend.release()
    await closing
    assert [len(future.result().rows) for future in futures] == [2, 2, 2]


async def test_nothing_is_admitted_while_closing(line, item) -> None:
    await line.hold_with(item())
    closing = asyncio.create_task(line.scheduler.close(5))
    await asyncio.sleep(0)
    with pytest.raises(NotReady, match="shutting down"):
        line.submit(item())
    line.backend.release()
    await closing


async def test_what_outlasts_the_grace_is_failed(line, item) -> None:
    futures = await line.hold_with(item()) + line.submit(item())
    await line.scheduler.close(0.01)
    assert [future.exception().message for future in futures] == ["shutting down"] * 2


async def test_what_outlasts_the_grace_leaves_the_queue_empty(line, item) -> None:
    await line.hold_with(item())
    line.submit(item())
    await line.scheduler.close(0.01)
    assert line.scheduler.snapshot() == Occupancy(0, 0)
    assert line.telemetry.queue[-1] == ("fake", 0, 0)


async def test_a_pass_that_ends_after_the_grace_is_dropped(line, item) -> None:
    [future] = await line.hold_with(item())
    await line.scheduler.close(0)
    line.backend.release()
    await line.until(lambda: worker_threads("fake") == [])
    assert isinstance(future.exception(), BackendFailed)


async def test_a_grace_of_nothing_settles_what_was_just_submitted(open_line, item) -> None:
    line = open_line()
    line.backend.hold()
    await line.scheduler.start()
    [future] = line.submit(item())
    await line.scheduler.close(0)
    assert isinstance(future.exception(), BackendFailed)


async def test_closing_stops_the_thread(open_line, item) -> None:
    line = open_line(FakeBackend("threaded", max_input_tokens=64))
    await line.scheduler.start()
    await asyncio.gather(*line.submit(item()))
    assert len(worker_threads("threaded")) == 1
    await line.scheduler.close(1)
    await line.until(lambda: worker_threads("threaded") == [])


async def test_closing_again_is_harmless(line) -> None:
    await line.scheduler.close(1)
    await line.scheduler.close(1)
    assert not line.scheduler.is_accepting


async def test_two_may_close_at_the_same_time(line, item) -> None:
    [future] = await line.hold_with(item())
    await asyncio.gather(line.scheduler.close(5), line.scheduler.close(0.01))
    assert isinstance(future.exception(), BackendFailed)


async def test_a_scheduler_that_never_ran_closes(open_line) -> None:
    line = open_line()
    await line.scheduler.close(1)
    assert not line.scheduler.is_accepting


async def test_a_closed_scheduler_does_not_start_again(line) -> None:
    await line.scheduler.close(1)
    with pytest.raises(NotReady):
        await line.scheduler.start()


@pytest.fixture
async def crashing(open_line):
    """A started line whose loop crashes when its first pass has ended: its telemetry raises."""
    line = open_line()

    def broken(model: str, num_items: int, num_tokens: int, queue_s: Sequence[float], forward_s: float) -> None:
        raise ZeroDivisionError

    line.telemetry.batch_forwarded = broken
    await line.scheduler.start()
    return line


async def test_a_crash_of_the_loop_leaves_nothing_pending(crashing, item) -> None:
    futures = await crashing.hold_with(item()) + crashing.submit(item(40), item(40))
    crashing.backend.release()
    async with asyncio.timeout(5):
        results = await asyncio.gather(*futures, return_exceptions=True)
    assert [isinstance(result, ModelStopped) for result in results] == [False, True, True]


async def test_a_crashed_scheduler_says_that_it_takes_nothing(crashing, item) -> None:
    await asyncio.gather(*crashing.submit(item()))
    await crashing.until(lambda: not crashing.scheduler.is_accepting)
    with pytest.raises(NotReady):
        crashing.submit(item())


async def test_a_crashed_scheduler_says_why_without_the_crashs_own_words(crashing, item) -> None:
    await asyncio.gather(*crashing.submit(item()))
    await crashing.until(lambda: crashing.scheduler.fault is not None)
    assert crashing.scheduler.fault == "stopped: the scheduler's loop crashed (ZeroDivisionError); see the server's log"


async def test_a_crash_of_the_loop_is_logged(crashing, item, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL, logger="surefoot"):
        await asyncio.gather(*crashing.submit(item()))
        await crashing.until(lambda: not crashing.scheduler.is_accepting)
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]


async def test_cancelling_the_loop_from_outside_leaves_nothing_pending(line, item) -> None:
    futures = await line.hold_with(item()) + line.submit(item())
    [loop_task] = [task for task in asyncio.all_tasks() if task.get_name() == "scheduler fake"]
    loop_task.cancel()
    async with asyncio.timeout(5):
        results = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(result) for result in results] == [ModelStopped] * 2
    assert line.scheduler.fault == "stopped: the scheduler's loop was cancelled"

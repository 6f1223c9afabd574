import asyncio
import logging
from collections.abc import Callable

import pytest

from surefoot.domain import ForwardItem, ForwardResult
from surefoot.errors import BackendFailed, DeadlineExceeded
from surefoot.scheduling.admission import Occupancy
from surefoot.scheduling.batching import WaitingView
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.queue import Entry, EntryFuture, WaitingQueue

LIMITS = SchedulerLimits(max_batch_tokens=10)
RESULT = ForwardResult(rows=((1.0,),), queue_s=0.0, forward_s=0.0)


class Waiting:
    """A queue under test whose clock stands at `now`, and the number of changes that it told of."""

    def __init__(self, item: Callable[..., ForwardItem]) -> None:
        self.now = 10.0
        self.changes = 0
        self.added = 0
        self.queue = WaitingQueue(lambda: self.now, self._changed)
        self.item = item

    def add(self, num_tokens: int = 3, deadline: float | None = None, caller: str = "") -> Entry:
        future = EntryFuture(loop=asyncio.get_running_loop())
        self.added += 1
        item = self.item(num_tokens, first_token=1_000 * self.added)
        entry = Entry(item, future, WaitingView(item.rendered.token_ids, "interactive", self.now, deadline, caller))
        self.queue.extend([entry])
        return entry

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
def waiting(item: Callable[..., ForwardItem]) -> Waiting:
    return Waiting(item)


async def test_occupancy_counts_inputs_and_tokens(waiting: Waiting) -> None:
    waiting.add(3)
    waiting.add(4)
    assert waiting.queue.occupancy == Occupancy(2, 7)


async def test_a_taken_batch_leaves_the_rest_waiting(waiting: Waiting) -> None:
    entries = [waiting.add(4) for _ in range(3)]
    assert waiting.queue.take_batch(LIMITS) == entries[:2]
    assert waiting.queue.occupancy == Occupancy(1, 4)


async def test_callers_take_turns(waiting: Waiting) -> None:
    much = [waiting.add(4, caller="much") for _ in range(5)]
    assert waiting.queue.take_batch(LIMITS) == much[:2]
    little = waiting.add(4, caller="little")
    assert set(waiting.queue.take_batch(LIMITS)) == {little, much[2]}


async def test_a_cancelled_entry_frees_its_room_before_the_loop_turns(waiting: Waiting) -> None:
    entry = waiting.add()
    entry.future.cancel()
    assert waiting.queue.occupancy == Occupancy(0, 0)


async def test_a_second_cancel_changes_nothing(waiting: Waiting) -> None:
    entry = waiting.add()
    entry.future.cancel()
    entry.future.cancel()
    assert waiting.changes == 1


async def test_cancelling_a_taken_entry_leaves_the_queue_alone(waiting: Waiting) -> None:
    waiting.add(10)
    waiting.add(10)
    [taken] = waiting.queue.take_batch(LIMITS)
    taken.future.cancel()
    assert waiting.queue.occupancy == Occupancy(1, 10)


async def test_a_cancelled_waiter_task_frees_its_room(waiting: Waiting) -> None:
    entry = waiting.add()

    async def wait() -> None:
        await entry.future

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert waiting.queue.occupancy == Occupancy(0, 0)


async def test_a_late_entry_is_settled_instead_of_taken(waiting: Waiting) -> None:
    late, alive = waiting.add(deadline=11.0), waiting.add(deadline=13.0)
    waiting.now = 12.0
    assert waiting.queue.take_batch(LIMITS) == [alive]
    assert isinstance(late.future.exception(), DeadlineExceeded)


async def test_a_deadline_is_kept_without_anyone_taking_a_batch(waiting: Waiting) -> None:
    entry = waiting.add(deadline=10.01)
    async with asyncio.timeout(5):
        with pytest.raises(DeadlineExceeded):
            await entry.future
    assert waiting.queue.occupancy == Occupancy(0, 0)


async def test_the_timer_of_a_taken_entry_is_off(waiting: Waiting) -> None:
    entry = waiting.add(deadline=10.01)
    waiting.queue.take_batch(LIMITS)
    await asyncio.sleep(0.03)
    assert not entry.future.done()


async def test_draining_returns_everything_in_order_of_arrival(waiting: Waiting) -> None:
    entries = [waiting.add(8) for _ in range(3)]
    assert waiting.queue.drain() == entries
    assert waiting.queue.occupancy == Occupancy(0, 0)


async def test_an_entry_keeps_its_first_outcome(waiting: Waiting) -> None:
    entry = waiting.add()
    entry.complete(RESULT)
    entry.fail(BackendFailed("late"))
    assert entry.future.result() is RESULT


async def test_an_error_that_nobody_awaits_is_not_reported_by_asyncio(
    waiting: Waiting, caplog: pytest.LogCaptureFixture
) -> None:
    entry = waiting.add()
    entry.fail(BackendFailed("nobody listens"))
    waiting.queue.drain()
    with caplog.at_level(logging.ERROR, logger="asyncio"):
        del entry
    assert caplog.records == []

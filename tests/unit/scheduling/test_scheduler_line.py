"""What one caller may expect of the scheduler: order, budgets, deadlines, cancellation, telemetry."""

import threading
from collections.abc import Sequence

import pytest

from forwarded import alone, outcomes
from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import Forwarded, ForwardItem
from surefoot.errors import (
    DeadlineExceeded,
    GroupTooLarge,
    InputTooLong,
    NotReady,
    QueueFull,
    SettingsInvalid,
)
from surefoot.ports import SilentTelemetry
from surefoot.scheduling.admission import Occupancy
from surefoot.scheduling.scheduler import Scheduler, SchedulerLimits


async def test_results_are_those_of_each_item_alone_in_order(line, item) -> None:
    items = [item(length, first_token=length) for length in (9, 30, 4, 60, 12)]
    results = await outcomes(line.submit(*items))
    assert [result.rows for result in results] == [alone(each) for each in items]


async def test_inputs_that_fit_share_one_pass(line, item) -> None:
    await outcomes(line.submit(*[item(16)] * 4))
    assert [len(batch) for batch in line.backend.batches] == [4]


async def test_inputs_that_do_not_fit_wait_for_the_next_pass(line, item) -> None:
    await outcomes(line.submit(*(item(16, first_token=100 * number) for number in range(5))))
    assert [len(batch) for batch in line.backend.batches] == [4, 1]


async def test_callers_that_wait_together_share_a_pass(line, item) -> None:
    futures = await line.hold_with(item())
    futures += [future for _ in range(3) for future in line.submit(item())]
    line.backend.release()
    await outcomes(futures)
    assert [len(batch) for batch in line.backend.batches] == [1, 3]


async def test_interactive_overtakes_waiting_bulk(line, item) -> None:
    bulk, interactive = item(40, first_token=1), item(40, first_token=2)
    futures = await line.hold_with(item())
    futures += line.submit(bulk, priority="bulk") + line.submit(interactive)
    line.backend.release()
    await outcomes(futures)
    assert line.backend.batches[1:] == [(interactive,), (bulk,)]


async def test_bulk_that_waited_long_runs_before_newer_interactive(line, item) -> None:
    bulk, interactive = item(40, first_token=1), item(40, first_token=2)
    futures = await line.hold_with(item())
    futures += line.submit(bulk, priority="bulk")
    line.clock.advance(line.limits.bulk_max_wait_s + 1)
    futures += line.submit(interactive)
    line.backend.release()
    await outcomes(futures)
    assert line.backend.batches[1:] == [(bulk,), (interactive,)]


async def test_forward_runs_off_the_event_loop_in_one_thread(open_line, item) -> None:
    class ThreadNoting(FakeBackend):
        threads: set[int]

        def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
            self.threads.add(threading.get_ident())
            return super().forward(batch)

    backend = ThreadNoting(max_input_tokens=64)
    backend.threads = set()
    line = open_line(backend)
    await line.scheduler.start()
    await outcomes(line.submit(*[item(40)] * 3))
    assert len(backend.threads) == 1
    assert threading.get_ident() not in backend.threads


async def test_an_empty_group_is_nothing(line) -> None:
    assert line.submit() == []


async def test_a_scheduler_that_was_not_started_takes_nothing(open_line, item) -> None:
    with pytest.raises(NotReady, match="not started"):
        open_line().submit(item())


async def test_starting_twice_is_starting_once(line, item) -> None:
    await line.scheduler.start()
    [result] = await outcomes(line.submit(item()))
    assert result.rows == alone(item())


async def test_an_input_limit_above_the_batch_budget_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsInvalid) as raised:
        Scheduler(FakeBackend(max_input_tokens=65), SchedulerLimits(max_batch_tokens=64), SilentTelemetry())
    assert raised.value.param == "max_batch_tokens"


async def test_an_input_over_the_models_limit_fails_alone(line, item) -> None:
    results = await outcomes(line.submit(item(), item(65), item()))
    assert [type(result).__name__ for result in results] == ["ForwardResult", "InputTooLong", "ForwardResult"]
    assert isinstance(results[1], InputTooLong)


@pytest.mark.parametrize(
    ("lengths", "refusal"), [([30, 30], QueueFull), ([5] * 4, QueueFull), ([60, 60], GroupTooLarge)]
)
async def test_a_refused_group_leaves_nothing_behind(open_line, item, lengths, refusal) -> None:
    line = open_line(max_queue_tokens=100, max_queue_items=5)
    await line.scheduler.start()
    await line.hold_with(item())
    line.submit(item(25), item(25))
    with pytest.raises(refusal):
        line.submit(*[item(length) for length in lengths])
    assert line.scheduler.snapshot() == Occupancy(2, 50)


async def test_a_cancelled_input_makes_room_at_once(open_line, item) -> None:
    line = open_line(max_queue_items=1)
    await line.scheduler.start()
    await line.hold_with(item())
    [waiting] = line.submit(item())
    waiting.cancel()
    assert len(line.submit(item())) == 1


async def test_a_cancelled_waiting_input_is_never_forwarded(line, item) -> None:
    running = await line.hold_with(item())
    cancelled, kept = line.submit(item(first_token=1), item(first_token=2))
    cancelled.cancel()
    line.backend.release()
    await outcomes([*running, kept])
    assert line.backend.batches[1:] == [(item(first_token=2),)]


async def test_a_cancelled_running_input_does_not_disturb_its_neighbour(line, item) -> None:
    cancelled, kept = await line.hold_with(item(first_token=1), item(first_token=2))
    cancelled.cancel()
    line.backend.release()
    [result] = await outcomes([kept])
    assert result.rows == alone(item(first_token=2))


async def test_a_deadline_is_kept_behind_a_held_pass(line, item) -> None:
    await line.hold_with(item())
    [error] = await outcomes(line.submit(item(), timeout_s=0.01))
    assert isinstance(error, DeadlineExceeded)
    assert line.scheduler.snapshot() == Occupancy(0, 0)


async def test_an_input_past_its_deadline_is_never_forwarded(line, item) -> None:
    running = await line.hold_with(item())
    [late] = line.submit(item(5), timeout_s=30)
    line.clock.advance(30)
    line.backend.release()
    results = await outcomes([*running, late])
    assert isinstance(results[1], DeadlineExceeded)
    assert len(line.backend.batches) == 1


async def test_a_pass_that_began_in_time_is_served_late(line, item) -> None:
    line.backend.hold()
    [future] = line.submit(item(), timeout_s=30)
    await line.until(lambda: len(line.backend.batches) == 1)
    line.clock.advance(31)
    line.backend.release()
    [result] = await outcomes([future])
    assert result.rows == alone(item())


async def test_results_tell_their_wait_and_their_pass(line, item) -> None:
    await line.hold_with(item())
    [waiting] = line.submit(item())
    line.clock.advance(2)
    line.backend.release()
    [result] = await outcomes([waiting])
    assert (result.queue_s, result.forward_s) == (2.0, 0.0)


async def test_a_full_queue_estimates_its_drain_from_the_last_passes(open_line, item) -> None:
    line = open_line(max_queue_tokens=64)
    await line.scheduler.start()
    first = await line.hold_with(item(10))
    line.clock.advance(2)
    line.backend.release()
    await outcomes(first)
    await line.hold_with(item())
    line.submit(item(50))
    with pytest.raises(QueueFull) as raised:
        line.submit(item(50))
    assert raised.value.retry_after_s == 10.0


async def test_telemetry_sees_the_pass(line, item) -> None:
    futures = await line.hold_with(item(4), item(5))
    line.clock.advance(3)
    line.backend.release()
    await outcomes(futures)
    assert line.telemetry.forwarded == [("fake", 2, 9, (0.0, 0.0), 3.0)]


async def test_telemetry_sees_every_move_of_the_queue(line, item) -> None:
    await line.hold_with(item())
    line.telemetry.queue.clear()
    first, _ = line.submit(item(4), item(5))
    first.cancel()
    assert line.telemetry.queue == [("fake", 2, 9), ("fake", 1, 5)]

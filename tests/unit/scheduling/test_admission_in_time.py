"""How long a request would wait, by whose turn it is, and when that is too long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import QueueFull
from surefoot.scheduling.admission import admit_in_time, tokens_ahead
from surefoot.scheduling.limits import SchedulerLimits

LIMITS = SchedulerLimits(max_queue_s=2.0, max_bulk_queue_s=20.0)
ME, YOU = ("me", "interactive"), ("you", "interactive")
MY_BULK, YOUR_BULK = ("me", "bulk"), ("you", "bulk")

flows = st.sampled_from([ME, YOU, MY_BULK, YOUR_BULK, ("they", "interactive")])
waiting_lines = st.dictionaries(flows, st.integers(1, 10_000))


@pytest.mark.parametrize(
    ("waiting", "flow", "num_tokens", "ahead"),
    [
        ({}, ME, 500, 0),
        ({ME: 300}, ME, 500, 300),
        ({YOU: 9_000}, ME, 500, 500),
        ({YOU: 100}, ME, 500, 100),
        ({ME: 300, YOU: 9_000}, ME, 500, 1_100),
        ({YOUR_BULK: 9_000}, ME, 500, 0),
        ({YOU: 9_000}, MY_BULK, 500, 9_000),
        ({YOU: 1_000, YOUR_BULK: 200, MY_BULK: 50}, MY_BULK, 500, 1_250),
    ],
)
def test_tokens_ahead_are_those_whose_turn_comes_before(waiting, flow, num_tokens, ahead) -> None:
    assert tokens_ahead(waiting, flow, num_tokens) == ahead


@given(waiting=waiting_lines, flow=flows, num_tokens=st.integers(0, 10_000))
def test_no_more_is_ahead_than_waits_and_no_less_than_ones_own(waiting, flow, num_tokens) -> None:
    assert waiting.get(flow, 0) <= tokens_ahead(waiting, flow, num_tokens) <= sum(waiting.values())


@given(waiting=waiting_lines, flow=flows, few=st.integers(0, 5_000), more=st.integers(0, 5_000))
def test_who_brings_more_has_no_less_ahead(waiting, flow, few, more) -> None:
    assert tokens_ahead(waiting, flow, few) <= tokens_ahead(waiting, flow, few + more)


@pytest.mark.parametrize(("priority", "limit_s"), [("interactive", 2.0), ("bulk", 20.0)])
def test_the_bound_is_that_of_the_priority(priority, limit_s) -> None:
    speed = 1_000.0
    admit_in_time(int(limit_s * speed), priority, LIMITS, speed)
    with pytest.raises(QueueFull) as refused:
        admit_in_time(int(limit_s * speed) + 1, priority, LIMITS, speed)
    assert refused.value.retry_after_s == pytest.approx(limit_s, rel=0.01)


def test_while_the_speed_is_unknown_everybody_may_wait() -> None:
    admit_in_time(10**9, "interactive", LIMITS, None)


async def test_a_backlog_of_one_caller_keeps_itself_out_and_others_in(open_line, item) -> None:
    """Each input of 10 tokens takes a second, 2 s may be waited for."""
    line = open_line(max_queue_s=2.0, max_batch_items=1)
    await line.scheduler.start()
    line.scheduler._settlement.tokens_per_s = 10.0

    def submit(caller: str, number: int) -> None:
        inputs = [item(10, first_token=100 * number)]
        line.scheduler.submit_group(inputs, priority="interactive", timeout_s=None, caller=caller)

    await line.hold_with(item(10, first_token=7))
    for number in range(3):
        submit("busy", number)
    with pytest.raises(QueueFull, match="would run before this interactive request"):
        submit("busy", 3)
    submit("other", 4)
    assert line.scheduler.snapshot().num_requests == 4


async def test_withdrawn_work_is_ahead_of_nobody(open_line, item) -> None:
    line = open_line(max_queue_s=2.0, max_batch_items=1)
    await line.scheduler.start()
    line.scheduler._settlement.tokens_per_s = 10.0
    await line.hold_with(item(10, first_token=7))
    waiting = [line.submit(item(10, first_token=100 * number))[0] for number in range(3)]
    waiting[0].cancel()
    assert len(line.submit(item(10, first_token=900))) == 1
    with pytest.raises(QueueFull):
        line.submit(item(10, first_token=950))

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.scheduling.batching import WaitingView, fitting_prefix, has_expired, is_urgent, next_batch
from surefoot.scheduling.limits import SchedulerLimits

LIMITS = SchedulerLimits(max_batch_tokens=10, max_batch_items=4, bulk_max_wait_s=5.0)
VIEWS = st.builds(
    WaitingView,
    num_tokens=st.integers(0, 10),
    priority=st.sampled_from(["interactive", "bulk"]),
    enqueued_at=st.floats(0, 20),
    deadline=st.none() | st.floats(0, 40),
)


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [([], 0), ([10], 1), ([11], 0), ([4, 6], 2), ([4, 6, 1], 2), ([4, 7, 1], 1), ([1, 1, 1, 1, 1], 4), ([0] * 9, 4)],
)
def test_the_prefix_ends_at_the_first_input_over_a_budget(lengths: list[int], expected: int) -> None:
    assert fitting_prefix(lengths, max_batch_tokens=10, max_batch_items=4) == expected


@given(st.lists(st.integers(0, 30)), st.integers(1, 50), st.integers(1, 10))
def test_the_prefix_fits_and_one_more_would_not(lengths: list[int], max_tokens: int, max_items: int) -> None:
    count_ = fitting_prefix(lengths, max_tokens, max_items)
    assert sum(lengths[:count_]) <= max_tokens
    assert count_ <= max_items
    assert count_ == len(lengths) or sum(lengths[: count_ + 1]) > max_tokens or count_ == max_items


def test_the_oldest_runs_first() -> None:
    waiting = [WaitingView(3, "interactive", at) for at in (3.0, 1.0, 2.0)]
    assert next_batch(waiting, 4.0, LIMITS) == (1, 2, 0)


def test_equal_ages_keep_their_order() -> None:
    assert next_batch([WaitingView(1, "interactive", 0.0)] * 3, 4.0, LIMITS) == (0, 1, 2)


def test_interactive_runs_before_older_bulk() -> None:
    waiting = [WaitingView(6, "bulk", 0.0), WaitingView(6, "interactive", 1.0)]
    assert next_batch(waiting, 2.0, LIMITS) == (1,)


def test_bulk_fills_the_room_that_interactive_leaves() -> None:
    waiting = [WaitingView(4, "bulk", 0.0), WaitingView(6, "interactive", 1.0)]
    assert next_batch(waiting, 2.0, LIMITS) == (1, 0)


def test_bulk_past_its_patience_goes_by_age() -> None:
    waiting = [WaitingView(6, "interactive", 1.0), WaitingView(6, "bulk", 0.0)]
    assert next_batch(waiting, 5.5, LIMITS) == (1,)


@pytest.mark.parametrize(("now", "urgent"), [(5.0, False), (5.01, True)])
def test_bulk_is_urgent_only_beyond_its_patience(now: float, urgent: bool) -> None:
    assert is_urgent(WaitingView(1, "bulk", 0.0), now, 5.0) is urgent


@pytest.mark.parametrize(("deadline", "expired"), [(None, False), (2.1, False), (2.0, True), (1.0, True)])
def test_an_input_expires_at_its_deadline(deadline: float | None, expired: bool) -> None:
    assert has_expired(WaitingView(1, "interactive", 0.0, deadline), 2.0) is expired


def test_expired_inputs_are_never_chosen() -> None:
    waiting = [WaitingView(1, "interactive", 0.0, deadline=1.0), WaitingView(1, "interactive", 0.5)]
    assert next_batch(waiting, 1.0, LIMITS) == (1,)


@given(st.lists(VIEWS, max_size=12), st.floats(0, 40))
def test_a_batch_is_distinct_alive_and_within_both_budgets(waiting: Sequence[WaitingView], now: float) -> None:
    batch = next_batch(waiting, now, LIMITS)
    assert len(set(batch)) == len(batch) <= LIMITS.max_batch_items
    assert sum(waiting[index].num_tokens for index in batch) <= LIMITS.max_batch_tokens
    assert not any(has_expired(waiting[index], now) for index in batch)


@given(st.lists(VIEWS, max_size=12), st.floats(0, 40))
def test_a_batch_is_empty_only_if_nothing_is_alive(waiting: Sequence[WaitingView], now: float) -> None:
    assert bool(next_batch(waiting, now, LIMITS)) == any(not has_expired(view, now) for view in waiting)


@given(st.lists(VIEWS, max_size=12), st.floats(0, 40))
def test_the_most_senior_alive_input_is_always_chosen(waiting: Sequence[WaitingView], now: float) -> None:
    alive = [index for index, view in enumerate(waiting) if not has_expired(view, now)]
    urgent = [index for index in alive if is_urgent(waiting[index], now, LIMITS.bulk_max_wait_s)]
    batch = next_batch(waiting, now, LIMITS)
    if alive:
        assert min(urgent or alive, key=lambda index: (waiting[index].enqueued_at, index)) == batch[0]


def seconds_until_bulk_runs(limits: SchedulerLimits, older_interactive: int, horizon_s: int) -> int | None:
    """One bulk input under a flood that brings a whole interactive batch each second; a batch takes a second."""
    waiting = [WaitingView(10, "interactive", 0.0)] * older_interactive + [WaitingView(10, "bulk", 0.0)]
    for now in count():
        if now > horizon_s:
            return None
        waiting.append(WaitingView(10, "interactive", float(now)))
        batch = next_batch(waiting, float(now), limits)
        if any(waiting[index].priority == "bulk" for index in batch):
            return now
        waiting = [view for index, view in enumerate(waiting) if index not in batch]
    return None


@pytest.mark.parametrize("older_interactive", [0, 3, 20])
def test_bulk_never_starves_under_an_interactive_flood(older_interactive: int) -> None:
    waited_s = seconds_until_bulk_runs(LIMITS, older_interactive, horizon_s=100)
    assert waited_s is not None
    assert waited_s <= max(LIMITS.bulk_max_wait_s, older_interactive) + 1


def test_without_the_patience_rule_the_flood_would_starve_bulk() -> None:
    endless = SchedulerLimits(max_batch_tokens=10, bulk_max_wait_s=float("inf"))
    assert seconds_until_bulk_runs(endless, older_interactive=0, horizon_s=100) is None

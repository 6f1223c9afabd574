from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.domain import Priority
from surefoot.scheduling.batching import WaitingView, has_expired, is_urgent, next_batch
from surefoot.scheduling.limits import SchedulerLimits

_FIRST_TOKENS = count(0, 1_000)


def view(num_tokens: int, priority: Priority, enqueued_at: float, deadline: float | None = None) -> WaitingView:
    """An input that begins like no other."""
    first = next(_FIRST_TOKENS)
    return WaitingView(tuple(range(first, first + num_tokens)), priority, enqueued_at, deadline)


LIMITS = SchedulerLimits(max_batch_tokens=10, max_batch_items=4, bulk_max_wait_s=5.0)
VIEWS = st.builds(
    view,
    num_tokens=st.integers(0, 10),
    priority=st.sampled_from(["interactive", "bulk"]),
    enqueued_at=st.floats(0, 20),
    deadline=st.none() | st.floats(0, 40),
)


def of_turn_zero(waiting: Sequence[WaitingView], now: float, limits: SchedulerLimits = LIMITS) -> tuple[int, ...]:
    return next_batch(waiting, [0.0] * len(waiting), now, limits)


def test_the_oldest_runs_first() -> None:
    waiting = [view(3, "interactive", at) for at in (3.0, 1.0, 2.0)]
    assert of_turn_zero(waiting, 4.0) == (1, 2, 0)


def test_equal_ages_keep_their_order() -> None:
    assert of_turn_zero([view(1, "interactive", 0.0)] * 3, 4.0) == (0, 1, 2)


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [([10], 1), ([4, 6], 2), ([4, 6, 1], 2), ([4, 7, 1], 1), ([1, 1, 1, 1, 1], 4), ([0] * 9, 4)],
)
def test_a_batch_ends_at_the_first_input_over_a_budget(lengths: list[int], expected: int) -> None:
    waiting = [view(length, "interactive", 0.0) for length in lengths]
    assert of_turn_zero(waiting, 1.0) == tuple(range(expected))


def test_a_shared_beginning_counts_once() -> None:
    waiting = [WaitingView((1, 2, 3, 4, 5, 6, last), "interactive", 0.0) for last in (7, 8, 9, 7)]
    assert of_turn_zero(waiting, 1.0) == (0, 1, 2, 3)
    apart = [WaitingView((first, 2, 3, 4, 5, 6, 7), "interactive", 0.0) for first in (1, 2)]
    assert of_turn_zero(apart, 1.0) == (0,)


def test_the_lowest_turn_runs_first_whoever_came_first() -> None:
    waiting = [view(6, "interactive", 0.0), view(6, "interactive", 1.0)]
    assert next_batch(waiting, [12.0, 6.0], 2.0, LIMITS) == (1,)


def test_turns_are_among_equals_only() -> None:
    waiting = [view(6, "bulk", 0.0), view(6, "interactive", 1.0)]
    assert next_batch(waiting, [0.0, 6.0], 2.0, LIMITS) == (1,)


def test_interactive_runs_before_older_bulk() -> None:
    waiting = [view(6, "bulk", 0.0), view(6, "interactive", 1.0)]
    assert of_turn_zero(waiting, 2.0) == (1,)


def test_bulk_fills_the_room_that_interactive_leaves() -> None:
    waiting = [view(4, "bulk", 0.0), view(6, "interactive", 1.0)]
    assert of_turn_zero(waiting, 2.0) == (1, 0)


SHORT_BULK = SchedulerLimits(max_batch_tokens=10, max_bulk_batch_tokens=4, max_batch_items=9, bulk_max_wait_s=5.0)


@pytest.mark.parametrize(
    ("lengths", "expected"), [([2, 2, 1], (0, 1)), ([2, 3, 1], (0,)), ([7, 1], (0,)), ([0, 7, 1], (0, 1))]
)
def test_bulk_ends_at_the_first_input_over_its_own_budget(lengths: list[int], expected: tuple[int, ...]) -> None:
    waiting = [view(length, "bulk", 0.0) for length in lengths]
    assert of_turn_zero(waiting, 1.0, SHORT_BULK) == expected


def test_interactive_goes_along_beside_bulk_that_has_to_wait() -> None:
    # At 9 s both are urgent and go by their turns.
    waiting = [view(3, "bulk", 0.0), view(2, "bulk", 1.0), view(2, "interactive", 8.0), view(1, "bulk", 2.0)]
    assert next_batch(waiting, [0.0, 1.0, 2.0, 3.0], 9.0, SHORT_BULK) == (0, 2)


def test_interactive_is_bounded_by_the_whole_pass_alone() -> None:
    waiting = [view(5, "interactive", 0.0), view(5, "interactive", 0.0), view(1, "interactive", 0.0)]
    assert of_turn_zero(waiting, 1.0, SHORT_BULK) == (0, 1)


@given(st.lists(VIEWS, max_size=12), st.floats(0, 40), st.integers(1, 12))
def test_bulk_keeps_its_budget_and_nobody_of_a_kind_is_skipped(
    waiting: Sequence[WaitingView], now: float, budget: int
) -> None:
    batch = of_turn_zero(waiting, now, SchedulerLimits(10, budget, 4, bulk_max_wait_s=5.0))
    everything = of_turn_zero(waiting, now, SchedulerLimits(bulk_max_wait_s=5.0))
    for kind in ("interactive", "bulk"):
        in_order = [index for index in everything if waiting[index].priority == kind]
        chosen = [index for index in batch if waiting[index].priority == kind]
        assert chosen == in_order[: len(chosen)]
    lengths = [waiting[index].num_tokens for index in chosen if waiting[index].num_tokens]
    assert sum(lengths) <= max([budget, *lengths[:1]])


def test_bulk_past_its_patience_goes_by_age() -> None:
    waiting = [view(6, "interactive", 1.0), view(6, "bulk", 0.0)]
    assert of_turn_zero(waiting, 5.5) == (1,)


@pytest.mark.parametrize(("now", "urgent"), [(5.0, False), (5.01, True)])
def test_bulk_is_urgent_only_beyond_its_patience(now: float, urgent: bool) -> None:
    assert is_urgent(view(1, "bulk", 0.0), now, 5.0) is urgent


@pytest.mark.parametrize(("deadline", "expired"), [(None, False), (2.1, False), (2.0, True), (1.0, True)])
def test_an_input_expires_at_its_deadline(deadline: float | None, expired: bool) -> None:
    assert has_expired(view(1, "interactive", 0.0, deadline), 2.0) is expired


def test_expired_inputs_are_never_chosen() -> None:
    waiting = [view(1, "interactive", 0.0, deadline=1.0), view(1, "interactive", 0.5)]
    assert of_turn_zero(waiting, 1.0) == (1,)


@given(st.lists(VIEWS, max_size=12), st.floats(0, 40))
def test_a_batch_is_distinct_alive_and_within_both_budgets(waiting: Sequence[WaitingView], now: float) -> None:
    batch = of_turn_zero(waiting, now)
    assert len(set(batch)) == len(batch) <= LIMITS.max_batch_items
    assert sum(waiting[index].num_tokens for index in batch) <= LIMITS.max_batch_tokens
    assert not any(has_expired(waiting[index], now) for index in batch)


@given(st.lists(VIEWS, max_size=12), st.floats(0, 40))
def test_a_batch_is_empty_only_if_nothing_is_alive(waiting: Sequence[WaitingView], now: float) -> None:
    assert bool(of_turn_zero(waiting, now)) == any(not has_expired(view, now) for view in waiting)


@given(st.lists(VIEWS, max_size=12), st.floats(0, 40))
def test_the_most_senior_alive_input_is_always_chosen(waiting: Sequence[WaitingView], now: float) -> None:
    alive = [index for index, view in enumerate(waiting) if not has_expired(view, now)]
    urgent = [index for index in alive if is_urgent(waiting[index], now, LIMITS.bulk_max_wait_s)]
    batch = of_turn_zero(waiting, now)
    if alive:
        assert min(urgent or alive, key=lambda index: (waiting[index].enqueued_at, index)) == batch[0]


def seconds_until_bulk_runs(limits: SchedulerLimits, older_interactive: int, horizon_s: int) -> int | None:
    """One bulk input under a flood that brings a whole interactive batch each second; a batch takes a second."""
    waiting = [view(10, "interactive", 0.0)] * older_interactive + [view(10, "bulk", 0.0)]
    for now in count():
        if now > horizon_s:
            return None
        waiting.append(view(10, "interactive", float(now)))
        batch = of_turn_zero(waiting, float(now), limits)
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

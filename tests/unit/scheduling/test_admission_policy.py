from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import GroupTooLarge, QueueFull, SettingsInvalid
from surefoot.scheduling.admission import Occupancy, admit, retry_after_s, updated_speed
from surefoot.scheduling.limits import SchedulerLimits

LIMITS = SchedulerLimits(max_batch_tokens=50, max_queue_tokens=100, max_queue_items=5)


@pytest.mark.parametrize(
    ("lengths", "occupancy"),
    [([100], Occupancy()), ([1] * 5, Occupancy()), ([], Occupancy(5, 100)), ([40], Occupancy(4, 60))],
)
def test_a_group_that_just_fits_is_admitted(lengths: list[int], occupancy: Occupancy) -> None:
    admit(lengths, occupancy, LIMITS, None)


@pytest.mark.parametrize(("lengths", "numbers"), [([60, 41], ("101 tokens", "100")), ([1] * 6, ("6 inputs", "5"))])
def test_a_group_that_no_empty_queue_could_hold_names_both_numbers(
    lengths: list[int], numbers: tuple[str, str]
) -> None:
    with pytest.raises(GroupTooLarge) as raised:
        admit(lengths, Occupancy(), LIMITS, None)
    assert all(number in raised.value.message for number in numbers)


@pytest.mark.parametrize(("lengths", "occupancy"), [([41], Occupancy(1, 60)), ([1, 1], Occupancy(4, 8))])
def test_a_group_without_room_now_is_told_to_come_again(lengths: list[int], occupancy: Occupancy) -> None:
    with pytest.raises(QueueFull):
        admit(lengths, occupancy, LIMITS, None)


def test_a_refusal_tells_how_long_the_queue_needs() -> None:
    with pytest.raises(QueueFull) as raised:
        admit([90], Occupancy(2, 80), LIMITS, tokens_per_s=10.0)
    assert raised.value.retry_after_s == 8.0


@pytest.mark.parametrize(
    ("queued_tokens", "tokens_per_s", "expected"),
    [(1000, None, 1.0), (1000, 0.0, 1.0), (0, 10.0, 1.0), (100, 1000.0, 1.0), (100, 10.0, 10.0), (10_000, 1.0, 60.0)],
)
def test_the_retry_hint_stays_between_one_and_sixty_seconds(
    queued_tokens: int, tokens_per_s: float | None, expected: float
) -> None:
    assert retry_after_s(queued_tokens, tokens_per_s) == expected


@given(st.lists(st.integers(0, 60), max_size=8), st.integers(0, 5), st.integers(0, 100))
def test_admission_never_overfills_the_queue(lengths: list[int], num_requests: int, num_tokens: int) -> None:
    try:
        admit(lengths, Occupancy(num_requests, num_tokens), LIMITS, None)
    except (GroupTooLarge, QueueFull):
        admitted = False
    else:
        admitted = True
    fits = num_requests + len(lengths) <= LIMITS.max_queue_items and num_tokens + sum(lengths) <= 100
    assert admitted == fits


def test_the_first_pass_sets_the_speed() -> None:
    assert updated_speed(None, 500, 0.5) == 1000.0


def test_a_later_pass_moves_the_speed_by_a_fifth() -> None:
    assert updated_speed(1000.0, 1000, 0.5) == pytest.approx(1200.0)


def test_a_pass_too_short_for_the_clock_leaves_the_speed() -> None:
    assert updated_speed(1000.0, 500, 0.0) == 1000.0


@pytest.mark.parametrize("name", [setting.name for setting in fields(SchedulerLimits)])
def test_a_limit_that_is_not_positive_is_refused_by_name(name: str) -> None:
    with pytest.raises(SettingsInvalid) as raised:
        SchedulerLimits(**{name: 0})
    assert raised.value.param == name

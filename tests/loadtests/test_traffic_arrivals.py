"""Schedules: how many, when, and that nothing moves them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loadtests.traffic.arrivals import Phase, at_random, evenly, merged

PHASES = [Phase(2.0, 3.0), Phase(10.0, 1.0)]


def test_even_arrivals_stand_at_equal_distances_in_each_phase() -> None:
    times = [arrival.at_s for arrival in evenly(PHASES, "bulk")]
    assert times == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5, *(3 + place / 10 for place in range(10))])


@given(rate=st.floats(20, 200), seed=st.integers(0, 1000))
def test_random_arrivals_come_in_order_within_their_phases_at_about_their_rate(rate, seed) -> None:
    found = [arrival.at_s for arrival in at_random([Phase(rate, 10), Phase(rate / 2, 10)], "interactive", seed)]
    assert all(first <= second for first, second in pairwise(found))
    assert found[0] >= 0
    assert found[-1] < 20
    first, second = sum(at < 10 for at in found), sum(at >= 10 for at in found)
    # Six standard deviations of a Poisson count.
    assert abs(first - 10 * rate) < 6 * (10 * rate) ** 0.5
    assert abs(second - 5 * rate) < 6 * (5 * rate) ** 0.5


def test_a_seed_gives_the_same_schedule_and_another_another() -> None:
    drawn = [at_random(PHASES, "bulk", seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_merged_schedules_keep_their_kinds_in_order_of_time() -> None:
    both = merged(evenly([Phase(1, 2)], "bulk"), evenly([Phase(2, 1)], "interactive"))
    assert [(arrival.at_s, arrival.kind) for arrival in both] == [
        (0.0, "bulk"), (0.0, "interactive"), (0.5, "interactive"), (1.0, "bulk"),
    ]  # fmt: skip

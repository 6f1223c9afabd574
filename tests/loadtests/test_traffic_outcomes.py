"""What is counted as what, and the figures that are made of it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loadtests.drills.drill import Drilled
from loadtests.traffic.outcomes import (
    Outcome,
    counted,
    counted_units,
    fate_of,
    latencies,
    quantile,
    rate_of,
    without_unseen,
)

TWO = [{"id": "1"}, {"id": "2"}]


def outcome(fate="answered", intended=0.0, started=0.0, ended=1.0, **more) -> Outcome:
    return Outcome("interactive", intended, started, ended, fate, **more)


@pytest.mark.parametrize(
    ("status", "retry_after", "results", "fate"),
    [
        (200, False, TWO, "answered"),
        (200, False, [{"id": "1"}], "lost"),
        (200, False, [{"id": "1"}, {"id": "1"}], "lost"),
        (200, False, [{"id": "1"}, {"id": "2", "error": {}}], "failed"),
        (429, True, [], "refused"),
        (503, True, [], "refused"),
        (429, False, [], "lost"),
        (504, False, [], "failed"),
        (500, False, [], "lost"),
    ],
)
def test_what_an_answer_means(status, retry_after, results, fate) -> None:
    assert fate_of(status, retry_after, 2, results) == fate


def test_latency_counts_from_when_the_request_was_due() -> None:
    """A generator that was held up for 5 s must not make the server look quick."""
    late = outcome(intended=10.0, started=15.0, ended=15.2)
    assert (late.latency_s, late.lag_s) == (pytest.approx(5.2), 5.0)
    assert latencies([late, outcome("refused")], "interactive", "answered") == [late.latency_s]


def test_counts_of_requests() -> None:
    fates = ["answered", "answered", "failed", "refused", "unreached", "lost"]
    found = counted([*(outcome(fate) for fate in fates), outcome(num_doubled=1)])
    assert (found.sent, found.accepted, found.answered, found.failed) == (7, 5, 4, 1)
    assert (found.refused, found.lost, found.doubled, found.is_sound) == (2, 1, 1, False)
    assert found.accepted == found.answered + found.lost


@given(st.lists(st.integers(-2, 12)))
def test_units_are_answered_lost_or_doubled_and_nothing_else(settled) -> None:
    found = counted_units(10, settled)
    assert found.answered + found.lost == found.accepted == 10
    assert found.answered + found.doubled == len(settled)
    assert found.is_sound == (sorted(settled) == list(range(10)))


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1.0))
def test_a_quantile_is_one_of_the_values_that_enough_do_not_exceed(values, share) -> None:
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9


def test_a_quantile_of_nothing_is_none() -> None:
    assert math.isnan(quantile([], 0.99))


def test_a_rate_counts_answers_by_when_they_came() -> None:
    ended = [outcome(ended=at) for at in (0.5, 2.0, 3.9, 4.0)] + [outcome("refused", ended=3.0)]
    assert rate_of(ended, "interactive", 2.0, 4.0) == 1.0


def test_a_broken_connection_is_no_loss_where_the_server_never_saw_the_request() -> None:
    broken = [outcome("lost", number=1), outcome("lost", number=2), outcome("lost", number=3, status=500)]
    assert [each.fate for each in without_unseen(broken, {1})] == ["lost", "unreached", "lost"]


@pytest.mark.parametrize(
    ("settled", "claims", "failures"),
    [
        ([0, 1], {"it stands": True}, []),
        ([0, 1], {"it stands": False}, ["it stands"]),
        ([0], {}, ["1 lost"]),
        ([0, 1, 1], {}, ["1 doubled"]),
    ],
)
def test_a_drill_fails_for_what_is_lost_doubled_or_not_as_claimed(settled, claims, failures) -> None:
    assert Drilled(counted_units(2, settled), claims).failures == failures


def test_a_drill_in_which_nothing_was_answered_shows_nothing() -> None:
    assert Drilled(counted([outcome("refused")]), {}).failures == ["nothing was answered, so that nothing was shown"]

"""When a vote may end: the Beta posterior against known values, and what no votes may change."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.early_stop import (
    Ballot,
    EarlyStop,
    effective_counts,
    lead_confidence,
    regularised_incomplete_beta,
    should_stop,
)

counts = st.integers(0, 200)
weights = st.lists(st.tuples(st.integers(0, 5), st.floats(1e-6, 1.0)), min_size=1, max_size=40)


def votes(*sizes: int, weight: float = 1.0) -> list[Ballot]:
    return [Ballot(group, weight) for group, size in enumerate(sizes) for _ in range(size)]


def binomial_tail(first: int, second: int) -> float:
    """I_{1/2}(second + 1, first + 1) exactly: more than `second` heads in first + second + 1 fair tosses."""
    tosses = first + second + 1
    return sum(math.comb(tosses, heads) for heads in range(second + 1, tosses + 1)) / 2**tosses


@pytest.mark.parametrize(
    ("a", "b", "x", "expected"),
    [
        (1.0, 1.0, 0.3, 0.3),
        (2.0, 1.0, 0.3, 0.09),
        (1.0, 3.0, 0.2, 1 - 0.8**3),
        (0.5, 0.5, 0.25, 2 / math.pi * math.asin(0.5)),
        (0.5, 0.5, 0.9, 2 / math.pi * math.asin(math.sqrt(0.9))),
        (1.5, 1.0, 0.49, 0.49**1.5),
        (2.5, 2.5, 0.5, 0.5),
        (5.0, 5.0, 0.0, 0.0),
        (5.0, 5.0, 1.0, 1.0),
    ],
)
def test_the_incomplete_beta_has_its_known_values(a, b, x, expected) -> None:
    assert regularised_incomplete_beta(a, b, x) == pytest.approx(expected, abs=1e-12)


@given(counts, counts)
def test_the_incomplete_beta_is_the_binomial_tail_at_integers(first, second) -> None:
    found = regularised_incomplete_beta(second + 1, first + 1, 0.5)
    assert found == pytest.approx(binomial_tail(first, second), rel=1e-9, abs=1e-14)


@given(st.floats(0.1, 100), st.floats(0.1, 100), st.floats(0.001, 0.999))
def test_the_incomplete_beta_is_symmetric(a, b, x) -> None:
    both = regularised_incomplete_beta(a, b, x) + regularised_incomplete_beta(b, a, 1 - x)
    assert both == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(("a", "b", "x"), [(0, 1, 0.5), (1, -1, 0.5), (1, 1, 1.5), (1, 1, math.nan)])
def test_the_incomplete_beta_refuses_what_it_is_not_defined_on(a, b, x) -> None:
    with pytest.raises(ValueError, match="needs"):
        regularised_incomplete_beta(a, b, x)


@pytest.mark.parametrize(("sizes", "expected"), [((), 0.5), ((4,), 1 - 0.5**5), ((3, 3), 0.5), ((2, 1), 0.6875)])
def test_confidence_of_plain_votes(sizes, expected) -> None:
    assert lead_confidence(votes(*sizes)) == pytest.approx(expected)


@given(weights)
def test_confidence_lies_between_a_half_and_one(given_weights) -> None:
    assert 0.5 - 1e-9 <= lead_confidence([Ballot(*ballot) for ballot in given_weights]) <= 1.0


@given(weights, st.floats(1e-6, 1e6))
def test_confidence_knows_no_unit_of_weight(given_weights, unit) -> None:
    plain = lead_confidence([Ballot(group, weight) for group, weight in given_weights])
    scaled = lead_confidence([Ballot(group, weight * unit) for group, weight in given_weights])
    assert scaled == pytest.approx(plain, abs=1e-9)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=4), st.floats(1e-300, 1e300))
def test_equal_weights_are_plain_counts(sizes, weight) -> None:
    assert list(effective_counts(votes(*sizes, weight=weight)).values()) == pytest.approx(sizes)


@given(weights)
def test_weights_never_count_as_more_votes_than_there_are(given_weights) -> None:
    ballots = [Ballot(*ballot) for ballot in given_weights]
    assert sum(effective_counts(ballots).values()) <= len(ballots) * (1 + 1e-12)


def test_one_heavy_vote_is_one_vote() -> None:
    ballots = [Ballot(0, 1.0), *votes(0, 9, weight=1e-6)]
    assert effective_counts(ballots)[0] == pytest.approx(1.0, abs=1e-3)


def test_votes_without_any_weight_say_nothing() -> None:
    assert lead_confidence(votes(5, 1, weight=0.0)) == 0.5


@given(st.integers(1, 30), st.integers(0, 30))
def test_one_more_vote_for_the_leader_never_lowers_confidence(lead, second) -> None:
    first = second + lead
    assert lead_confidence(votes(first + 1, second)) >= lead_confidence(votes(first, second)) - 1e-12


def test_a_unanimous_vote_stops_at_four_of_eight() -> None:
    assert [should_stop(votes(count), count, 8, EarlyStop()) for count in (3, 4)] == [False, True]


@given(st.integers(1, 20), st.floats(0.51, 0.99))
def test_never_stops_before_min_n(min_n, confidence) -> None:
    assert not should_stop(votes(min_n - 1), min_n - 1, 100, EarlyStop(confidence, min_n))


def test_nothing_is_left_to_stop_once_all_are_drawn() -> None:
    assert not should_stop(votes(8), 8, 8, EarlyStop())


def test_candidates_without_an_answer_count_towards_min_n_only() -> None:
    assert not should_stop(votes(2), 6, 8, EarlyStop(0.95, 4))


@given(weights, st.floats(0.51, 0.98))
def test_stopping_means_the_asked_confidence(given_weights, confidence) -> None:
    ballots = [Ballot(*ballot) for ballot in given_weights]
    stops = should_stop(ballots, len(ballots), 1000, EarlyStop(confidence, 1))
    assert stops == (lead_confidence(ballots) >= confidence)

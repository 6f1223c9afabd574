"""Measures of rewards against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.domain import ScoredBy
from surefoot.metrics.quality_measures import (
    have_different_bests,
    num_saturated,
    rank_correlation,
    relative_position,
    solution_scale,
)

# Few values, so that ties are the rule.
TIED = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=30).filter(
    lambda pairs: all(len(set(side)) > 1 for side in zip(*pairs, strict=True))
)


def mean_rank(values, value) -> float:
    """By definition: half of the ties stand before it."""
    return sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2


@given(TIED)
def test_it_is_the_linear_correlation_of_mean_ranks(pairs) -> None:
    first, second = zip(*pairs, strict=True)
    ranks = [[mean_rank(side, value) for value in side] for side in (first, second)]
    assert rank_correlation(first, second) == pytest.approx(np.corrcoef(*ranks)[0, 1])


@given(TIED)
def test_only_the_order_counts(pairs) -> None:
    first, second = zip(*pairs, strict=True)
    assert rank_correlation([value**3 for value in first], second) == pytest.approx(rank_correlation(first, second))


@pytest.mark.parametrize(("first", "second"), [((1, 2), (1, 2)), ((1, 1, 1), (1, 2, 3)), ((1, 2, 3), (5, 5, 5))])
def test_without_variation_nothing_correlates(first, second) -> None:
    assert rank_correlation(first, second) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8))
def test_bests_differ_where_none_is_shared(pairs) -> None:
    first, second = zip(*pairs, strict=True)
    bests = [{index for index, value in enumerate(side) if value == max(side)} for side in (first, second)]
    assert have_different_bests(first, second) == bests[0].isdisjoint(bests[1])


def test_the_bounds_themselves_are_not_saturated() -> None:
    assert num_saturated(np.array([0.0, 0.00999, 0.01, 0.5, 0.99, 0.9901, 1.0])) == 4


@pytest.mark.parametrize(("index", "num_steps", "place"), [(0, 1, 1.0), (0, 4, 0.25), (3, 4, 1.0)])
def test_the_last_step_is_at_one(index, num_steps, place) -> None:
    assert relative_position(index, num_steps) == place


@pytest.mark.parametrize(
    ("kind", "scale", "aggregation", "found"),
    [
        ("process", "probability", "min", "probability"),
        ("process", "probability", "sum_logprob", "unbounded"),
        ("process", "signed", "prod", "probability"),
        ("process", "signed", "last", "signed"),
        ("outcome", "unbounded", "prod", "unbounded"),
    ],
)
def test_a_solution_is_on_the_scale_of_its_aggregation(kind, scale, aggregation, found) -> None:
    assert solution_scale(ScoredBy("m", kind, scale, aggregation)) == found

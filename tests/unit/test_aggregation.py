import math
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.aggregation import (
    AGGREGATORS,
    DEFINED_ON,
    aggregate,
    first_error,
    first_error_distribution,
)
from surefoot.domain import PROBABILITY_FLOOR, Aggregation

few_examples = settings(max_examples=60, deadline=None)
probability_lists = st.lists(st.floats(0, 1), min_size=1, max_size=40)
score_lists = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)


def test_every_aggregation_has_a_function():
    assert set(AGGREGATORS) == set(get_args(Aggregation))


def test_every_aggregation_says_where_it_is_defined():
    assert set(DEFINED_ON) == set(get_args(Aggregation))


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("prod", 0.9 * 0.5 * 0.8), ("min", 0.5), ("mean", 2.2 / 3), ("last", 0.8), ("sum_logprob", math.log(0.36))],
)
def test_aggregation_follows_its_formula(aggregation, expected):
    assert aggregate([0.9, 0.5, 0.8], aggregation) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("aggregation", get_args(Aggregation))
def test_no_scores_cannot_be_aggregated(aggregation):
    with pytest.raises(ValueError, match="at least one score"):
        aggregate([], aggregation)


def test_certain_failure_keeps_the_log_finite():
    assert aggregate([0.0], "sum_logprob") == math.log(PROBABILITY_FLOOR)


@few_examples
@given(probability_lists)
def test_product_of_probabilities_is_a_probability(scores):
    assert 0 <= aggregate(scores, "prod") <= 1


@few_examples
@given(probability_lists)
def test_product_is_the_exponential_of_the_log_sum(scores):
    assert aggregate(scores, "prod") == pytest.approx(math.exp(aggregate(scores, "sum_logprob")))


@few_examples
@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=20))
def test_product_agrees_with_plain_multiplication(scores):
    assert aggregate(scores, "prod") == pytest.approx(math.prod(scores), rel=1e-9)


def test_sum_adds_up():
    assert aggregate([0.5, -1.0, 0.25], "sum") == -0.25


def test_soft_minimum_follows_its_formula():
    weights = [math.exp(-0.3 / 0.1), math.exp(0.1 / 0.1)]
    expected = (0.3 * weights[0] - 0.1 * weights[1]) / sum(weights)
    assert aggregate([0.3, -0.1], "soft_min") == pytest.approx(expected, rel=1e-12)


@few_examples
@given(score_lists)
def test_soft_minimum_lies_between_minimum_and_mean(scores):
    assert min(scores) - 1e-6 <= aggregate(scores, "soft_min") <= aggregate(scores, "mean") + 1e-6


@few_examples
@given(score_lists)
def test_mean_lies_between_min_and_max(scores):
    assert min(scores) - 1e-6 <= aggregate(scores, "mean") <= max(scores) + 1e-6


@few_examples
@given(probability_lists, st.floats(0, 1))
def test_product_never_rises_with_another_step(scores, extra):
    assert aggregate([*scores, extra], "prod") <= aggregate(scores, "prod")


def test_first_error_is_the_lowest_index_below_the_threshold():
    assert first_error([0.9, 0.4, 0.1, 0.9], 0.5) == 1


def test_a_score_at_the_threshold_is_no_error():
    assert first_error([0.5, 0.5], 0.5) is None


@few_examples
@given(score_lists, st.floats(-1e6, 1e6))
def test_everything_before_the_first_error_passes(scores, threshold):
    error = first_error(scores, threshold)
    assert all(score >= threshold for score in scores[:error])


def test_first_error_distribution_follows_its_formula():
    errors, none = first_error_distribution([0.98, 0.95])
    assert (*errors, none) == pytest.approx((0.02, 0.98 * 0.05, 0.98 * 0.95))


@few_examples
@given(st.lists(st.floats(0, 1), max_size=200))
def test_first_error_distribution_sums_to_one(probabilities):
    errors, none = first_error_distribution(probabilities)
    assert math.fsum([*errors, none]) == pytest.approx(1, abs=1e-9)


@few_examples
@given(st.lists(st.floats(0, 1), max_size=50))
def test_first_error_distribution_has_one_probability_a_step(probabilities):
    errors, none = first_error_distribution(probabilities)
    assert len(errors) == len(probabilities)
    assert all(0 <= value <= 1 for value in (*errors, none))

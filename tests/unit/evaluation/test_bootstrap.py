"""The percentile bootstrap: what it resamples, and how wide it comes out."""

import numpy as np
import pytest

from surefoot.evaluation.bootstrap import interval_of, mean_interval, resamples


def test_every_resample_draws_as_many_problems_as_there_are() -> None:
    assert resamples(7, seed=3, num_resamples=50).sum(axis=1).tolist() == [7] * 50


def test_a_seed_gives_the_same_resamples() -> None:
    assert (resamples(9, seed=1) == resamples(9, seed=1)).all()


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(0).normal(size=400)
    found = mean_interval(values, resamples(400, seed=0))
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_a_difference_without_variance_has_no_width() -> None:
    first = np.random.default_rng(0).random(30)
    found = mean_interval(first - (first - 0.25), resamples(30, seed=0))
    assert (found.low, found.high) == (pytest.approx(0.25), pytest.approx(0.25))


def test_draws_that_cannot_be_measured_are_left_out() -> None:
    draws = np.array([[2, 0], [1, 1], [0, 2]])
    found = interval_of(lambda weights: np.where(weights[:, 0] > 0, weights[:, 0], np.nan), 2, draws)
    assert (found.value, found.low, found.high) == (1, pytest.approx(1.025), pytest.approx(1.975))

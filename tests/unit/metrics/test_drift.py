"""The population stability index, and windows that compute it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.metrics.drift import DriftWindow, population_stability_index

COUNTS = st.integers(2, 12).flatmap(
    lambda bins: st.tuples(*[st.lists(st.integers(0, 500), min_size=bins, max_size=bins) for _ in range(2)])
)


def window_with(size: int, *parts) -> DriftWindow:
    window = DriftWindow(size, size)
    for part in parts:
        window.add(np.asarray(part, float))
    return window


def test_it_is_the_published_formula() -> None:
    reference, recent = np.array([199, 99]), np.array([99, 199])
    p, q = 199.5 / 299, 99.5 / 299
    assert population_stability_index(reference, recent) == pytest.approx(2 * (q - p) * math.log(q / p))


@given(COUNTS)
def test_it_is_never_negative_and_symmetric(counts) -> None:
    reference, recent = map(np.array, counts)
    psi = population_stability_index(reference, recent)
    assert psi >= 0
    assert psi == pytest.approx(population_stability_index(recent, reference))


@given(st.lists(st.integers(0, 500), min_size=2, max_size=12))
def test_equal_windows_do_not_drift(counts) -> None:
    assert population_stability_index(np.array(counts), np.array(counts)) == 0


def test_nothing_is_told_before_both_windows_are_full() -> None:
    assert window_with(10, range(19)).psi() is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=40), st.integers(1, 40))
def test_how_scores_arrive_does_not_matter(scores, part) -> None:
    size = len(scores) // 2
    pieces = [scores[start : start + part] for start in range(0, len(scores), part)]
    assert window_with(size, *pieces).psi() == window_with(size, scores).psi()


@given(st.lists(st.floats(0, 1), min_size=4, max_size=40))
def test_the_same_scores_again_are_no_drift(scores) -> None:
    assert window_with(len(scores), scores, scores).psi() == pytest.approx(0)


@pytest.mark.parametrize("shift", [-0.4, 0.4])
@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_a_shift_is_seen_on_any_scale(shift, scale) -> None:
    scores = np.random.default_rng(0).normal(0, 0.3, 1000) * scale
    assert window_with(1000, scores, scores + shift * scale).psi() > 0.25


def test_what_stays_the_same_is_not_called_drift() -> None:
    drawn = np.random.default_rng(0).beta(5, 2, 2000)
    assert window_with(1000, drawn).psi() < 0.1


@pytest.mark.parametrize("other", [0.2, 0.999999])
def test_scores_that_leave_one_single_value_are_drift(other) -> None:
    assert window_with(100, [0.99] * 100, [other] * 100).psi() > 0.25


def test_only_the_last_scores_count() -> None:
    scores = np.linspace(0, 1, 50)
    assert window_with(50, scores, scores + 9, scores).psi() == pytest.approx(0)

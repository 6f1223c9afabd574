"""Calibration errors and the Brier score against their definitions, written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.evaluation.reliability import brier_score, calibration_error, equal_mass_bins, equal_width_bins

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def arrays(pairs: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([score for score, _ in pairs]), np.array([label for _, label in pairs])


def error_of(groups: list[list[tuple[float, bool]]]) -> float:
    total = sum(map(len, groups))
    return sum(
        len(group) / total * abs(sum(label for _, label in group) / len(group) - sum(p for p, _ in group) / len(group))
        for group in groups
        if group
    )


@given(pairs=PAIRS, num_bins=st.integers(1, 20))
def test_error_over_bins_of_equal_width(pairs, num_bins) -> None:
    groups: list[list[tuple[float, bool]]] = [[] for _ in range(num_bins)]
    for score, label in pairs:
        groups[min(int(score * num_bins), num_bins - 1)].append((score, label))
    assert calibration_error(equal_width_bins(*arrays(pairs), num_bins)) == pytest.approx(error_of(groups), abs=1e-9)


@given(pairs=PAIRS, num_bins=st.integers(1, 20))
def test_error_over_bins_of_equal_mass(pairs, num_bins) -> None:
    ordered = sorted(pairs, key=lambda pair: pair[0])
    size, larger = divmod(len(ordered), num_bins)
    groups, start = [], 0
    for index in range(num_bins):
        end = start + size + (index < larger)
        groups.append(ordered[start:end])
        start = end
    assert calibration_error(equal_mass_bins(*arrays(pairs), num_bins)) == pytest.approx(error_of(groups), abs=1e-9)


@given(pairs=PAIRS)
def test_brier_score(pairs) -> None:
    expected = sum((score - label) ** 2 for score, label in pairs) / len(pairs)
    assert brier_score(*arrays(pairs)) == pytest.approx(expected)


@given(pairs=PAIRS)
def test_every_step_is_in_one_bin(pairs) -> None:
    for bins in (equal_width_bins(*arrays(pairs)), equal_mass_bins(*arrays(pairs))):
        assert sum(part.count for part in bins) == len(pairs)


def test_sure_and_wrong_is_the_worst() -> None:
    scores, labels = np.array([1.0, 0.0]), np.array([False, True])
    assert calibration_error(equal_width_bins(scores, labels)) == brier_score(scores, labels) == 1.0

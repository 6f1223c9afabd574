"""PGR, agreement and their spread against values worked out by hand."""

import numpy as np
import pytest

from surefoot.errors import LabelsDegenerate
from surefoot.evaluation.weak_supervision import (
    accuracy,
    agreement,
    gap_is_clear,
    performance_gap_recovered,
    spread,
)


@pytest.mark.parametrize(
    ("weak", "student", "ceiling", "expected"),
    [(0.6, 0.7, 0.8, 0.5), (0.6, 0.6, 0.8, 0.0), (0.6, 0.8, 0.8, 1.0), (0.6, 0.5, 0.8, -0.5), (0.5, 0.9, 0.75, 1.6)],
)
def test_the_gap_recovered(weak: float, student: float, ceiling: float, expected: float) -> None:
    assert performance_gap_recovered(weak, student, ceiling) == pytest.approx(expected)


@pytest.mark.parametrize("ceiling", [0.6, 0.5])
def test_without_a_gap_there_is_nothing_to_recover(ceiling: float) -> None:
    assert performance_gap_recovered(0.6, 0.7, ceiling) is None


def test_accuracy_counts_one_half_as_right() -> None:
    assert accuracy(np.array([0.5, 0.49, 0.9, 0.1]), np.array([True, True, True, False])) == 0.75
    with pytest.raises(LabelsDegenerate):
        accuracy(np.array([]), np.array([], dtype=bool))


def test_agreement_is_split_by_where_the_supervisor_is_right() -> None:
    labels = np.array([True, True, True, False, False, True])
    supervisor = np.array([0.9, 0.8, 0.2, 0.7, 0.1, 0.3])  # right, right, wrong, wrong, right, wrong
    student = np.array([0.6, 0.4, 0.1, 0.3, 0.7, 0.4])  # alike, not, alike, not, not, alike
    found = agreement(student, supervisor, labels)
    assert (found.overall, found.where_right, found.where_wrong) == pytest.approx((3 / 6, 1 / 3, 2 / 3))


def test_a_supervisor_without_errors_has_no_agreement_with_them() -> None:
    found = agreement(np.array([0.9]), np.array([0.9]), np.array([True]))
    assert (found.where_right, found.where_wrong) == (1.0, None)


def test_the_spread_is_the_sample_deviation() -> None:
    found = spread([0.5, 0.7, 0.6])
    assert (found.mean, found.deviation, found.count) == pytest.approx((0.6, 0.1, 3))
    assert spread([0.5]).deviation == 0


def test_a_gap_is_clear_beyond_its_spread() -> None:
    assert gap_is_clear([0.5, 0.52, 0.51], [0.7, 0.71, 0.72])
    assert not gap_is_clear([0.5, 0.6, 0.7], [0.75, 0.6, 0.7])
    assert not gap_is_clear([0.7, 0.7], [0.5, 0.5])
    assert not gap_is_clear([0.5], [0.9]), "one seed has no spread"

"""First-error F1 as ProcessBench defines it, and the threshold that makes it largest."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from surefoot.errors import LabelsDegenerate
from surefoot.evaluation.first_error import FirstErrorAccuracy, first_error_accuracy, fit_threshold

# Few different values, so that ties are common.
SCORES = st.integers(0, 10).map(lambda tenths: tenths / 10) | st.floats(0, 1)


@st.composite
def data_sets(draw: st.DrawFn) -> tuple[list[list[float]], list[int | None]]:
    scores = draw(st.lists(st.lists(SCORES, min_size=1, max_size=5), min_size=2, max_size=12))
    truths = [draw(st.none() | st.integers(0, len(steps) - 1)) for steps in scores]
    assume(None in truths and any(truth is not None for truth in truths))
    return scores, truths


def processbench_f1(scores: list[list[float]], truths: list[int | None], threshold: float) -> float:
    """The published evaluation: -1 stands for no error."""
    rows = [
        (next((index for index, score in enumerate(steps) if score < threshold), -1), -1 if truth is None else truth)
        for steps, truth in zip(scores, truths, strict=True)
    ]
    error = [found == label for found, label in rows if label != -1]
    correct = [found == label for found, label in rows if label == -1]
    acc1, acc2 = sum(error) / len(error), sum(correct) / len(correct)
    return 2 * acc1 * acc2 / (acc1 + acc2) if acc1 + acc2 else 0.0


@given(data=data_sets(), threshold=SCORES)
def test_f1_is_that_of_processbench(data, threshold) -> None:
    assert first_error_accuracy(*data, threshold).f1 == pytest.approx(processbench_f1(*data, threshold))


@given(data=data_sets())
def test_no_threshold_is_better_than_the_fitted_one(data) -> None:
    ends = sorted({0.0, 1.0, *(score for steps in data[0] for score in steps)})
    everywhere = [*ends, *((low + high) / 2 for low, high in pairwise(ends))]
    best = max(processbench_f1(*data, threshold) for threshold in everywhere)
    fitted = fit_threshold(*data)
    assert 0 <= fitted <= 1
    assert processbench_f1(*data, fitted) == pytest.approx(best)


def test_the_middle_of_the_best_range_is_taken() -> None:
    assert fit_threshold([[0.9, 0.2], [0.8, 0.6]], [1, None]) == pytest.approx(0.4)


def test_of_two_equally_good_ranges_the_wider_is_taken() -> None:
    # One error lies below 0.1, the other between 0.2 and 0.6: either is found alone, the second over a wider range.
    scores = [[0.1, 0.0], [0.6, 0.2], [0.95, 0.9]]
    assert fit_threshold(scores, [1, 1, None]) == pytest.approx(0.4)


def test_without_any_good_threshold_it_is_a_half() -> None:
    assert fit_threshold([[0.2, 0.5], [0.1]], [1, None]) == 0.5


def test_neither_accuracy_gives_an_f1_of_nothing() -> None:
    assert FirstErrorAccuracy(0.0, 0.0).f1 == 0.0


@pytest.mark.parametrize("truths", [[None, None], [0, 0]])
def test_one_sort_of_solutions_is_refused(truths) -> None:
    with pytest.raises(LabelsDegenerate, match="correct ones"):
        fit_threshold([[0.5], [0.6]], truths)

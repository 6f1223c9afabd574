"""How well a process model finds first errors: accuracies, ProcessBench's F1, and where it finds them instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.aggregation import first_error
from surefoot.evaluation.calibration import JudgedSolution, step_scores
from surefoot.evaluation.discrimination import Array, auroc
from surefoot.evaluation.first_error import check_both_sorts, first_error_accuracy
from surefoot.evaluation.labelled_steps import first_wrong, is_settled
from surefoot.profiles import Profile

MAX_POSITIONS = 12
"""Steps that the confusion tells apart; the last one stands for all later ones too."""


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """Shares in [0, 1] of the judged solutions, and `confusion[truth][found]`, their numbers.

    Its rows and columns are the 0-based steps, and last no error; the last step stands for all later ones.
    """

    threshold: float
    accuracy_erroneous: float
    accuracy_correct: float
    f1: float
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class FirstErrorMeasures:
    """What step scores say of first errors; `auroc` is of all labelled steps, whatever the threshold.

    Judged solutions are those whose first error is known, or that are known to have none.
    """

    num_solutions: int
    num_judged_solutions: int
    num_erroneous_solutions: int
    num_steps: int
    num_right_steps: int
    auroc: float
    at: tuple[AtThreshold, ...]


def measure_first_errors(
    profile: Profile, solutions: Sequence[JudgedSolution], thresholds: Sequence[float]
) -> FirstErrorMeasures:
    """All measures of the scores that the service gives with this profile.

    Raises `LabelsDegenerate` unless there are judged solutions with and without an error.
    """
    scores = [step_scores(profile, solution) for solution in solutions]
    return measure_scored_steps(scores, [solution.is_right for solution in solutions], thresholds)


def measure_scored_steps(
    scores: Sequence[Sequence[float]], labels: Sequence[Sequence[bool | None]], thresholds: Sequence[float]
) -> FirstErrorMeasures:
    """The same of step scores, however they came about; `labels[i]` say which steps of solution i are right.

    Raises `LabelsDegenerate` unless there are judged solutions with and without an error.
    """
    judged = [(steps, first_wrong(each)) for steps, each in zip(scores, labels, strict=True) if is_settled(each)]
    found, truths = [steps for steps, _ in judged], [truth for _, truth in judged]
    check_both_sorts(truths)
    labelled = [
        (score, label)
        for steps, each in zip(scores, labels, strict=True)
        for score, label in zip(steps, each, strict=True)
        if label is not None
    ]
    is_right = np.array([label for _, label in labelled], dtype=bool)
    return FirstErrorMeasures(
        num_solutions=len(scores),
        num_judged_solutions=len(judged),
        num_erroneous_solutions=sum(truth is not None for truth in truths),
        num_steps=len(is_right),
        num_right_steps=int(is_right.sum()),
        auroc=auroc(np.array([score for score, _ in labelled]), is_right),
        at=tuple(_at(threshold, found, truths) for threshold in thresholds),
    )


def confusion(found: Sequence[int | None], truths: Sequence[int | None], num_positions: int) -> Array:
    """[num_positions + 1, num_positions + 1] of int, true first error by found one, no error last.

    Steps from the last position on are counted as it.
    """
    table = np.zeros((num_positions + 1, num_positions + 1), dtype=int)
    rows, columns = (
        [num_positions if place is None else min(place, num_positions - 1) for place in places]
        for places in (truths, found)
    )
    np.add.at(table, (rows, columns), 1)
    return table


def _at(threshold: float, scores: Sequence[Sequence[float]], truths: Sequence[int | None]) -> AtThreshold:
    accuracy = first_error_accuracy(scores, truths, threshold)
    found = [first_error(steps, threshold) for steps in scores]
    table = confusion(found, truths, min(max(map(len, scores)), MAX_POSITIONS))
    return AtThreshold(threshold, accuracy.erroneous, accuracy.correct, accuracy.f1, tuple(map(tuple, table.tolist())))

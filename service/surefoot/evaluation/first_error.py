"""How well a threshold on step scores finds the first error, by ProcessBench's measure (arXiv 2412.06559)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from surefoot.aggregation import first_error
from surefoot.errors import LabelsDegenerate


@dataclass(frozen=True, slots=True)
class FirstErrorAccuracy:
    """Shares in [0, 1]: of the solutions with an error, those whose first error is found at its very step; and of the
    correct ones, those in which none is found."""

    erroneous: float
    correct: float

    @property
    def f1(self) -> float:
        """Their harmonic mean, 0 where both are 0."""
        total = self.erroneous + self.correct
        return 2 * self.erroneous * self.correct / total if total > 0 else 0.0


def first_error_accuracy(
    scores: Sequence[Sequence[float]], truths: Sequence[int | None], threshold: float
) -> FirstErrorAccuracy:
    """`scores[i]` are the step scores of solution i, `truths[i]` its first error, `None` for a correct one.

    Raises `LabelsDegenerate` unless there are solutions of both sorts.
    """
    check_both_sorts(truths)
    hits = [first_error(steps, threshold) == truth for steps, truth in zip(scores, truths, strict=True)]
    erroneous = [hit for hit, truth in zip(hits, truths, strict=True) if truth is not None]
    correct = [hit for hit, truth in zip(hits, truths, strict=True) if truth is None]
    return FirstErrorAccuracy(sum(erroneous) / len(erroneous), sum(correct) / len(correct))


def check_both_sorts(truths: Sequence[int | None]) -> None:
    """Raises `LabelsDegenerate` unless there are solutions with and without an error."""
    num_correct = sum(truth is None for truth in truths)
    if not 0 < num_correct < len(truths):
        raise LabelsDegenerate("labels: the first-error F1 needs solutions with an error and correct ones")


def fit_threshold(scores: Sequence[Sequence[float]], truths: Sequence[int | None]) -> float:
    """The threshold in [0, 1] with the largest F1, from the middle of the widest range of equally good ones.

    Of equally wide ranges the lowest is taken. Every solution is judged rightly on one range of thresholds
    (low, high], so one pass over the sorted ends of these ranges meets every F1 that there is. Raises
    `LabelsDegenerate` unless there are solutions of both sorts.
    """
    check_both_sorts(truths)
    num_correct = sum(truth is None for truth in truths)
    num_erroneous = len(truths) - num_correct
    changes: dict[float, list[int]] = {0.0: [0, 0], 1.0: [0, 0]}
    for steps, truth in zip(scores, truths, strict=True):
        low, high = _right_between(steps, truth)
        if low < high:
            changes.setdefault(low, [0, 0])[truth is None] += 1
            changes.setdefault(high, [0, 0])[truth is None] -= 1
    found_erroneous, found_correct = changes.pop(-math.inf, [0, 0])
    ends = sorted(changes)
    plateaus: list[tuple[float, float, float]] = []
    for low, high in pairwise(ends):
        found_erroneous += changes[low][0]
        found_correct += changes[low][1]
        f1 = FirstErrorAccuracy(found_erroneous / num_erroneous, found_correct / num_correct).f1
        if plateaus and plateaus[-1][0] == f1:
            plateaus[-1] = (f1, plateaus[-1][1], high)
        else:
            plateaus.append((f1, low, high))
    _, low, high = max(plateaus, key=lambda plateau: (plateau[0], plateau[2] - plateau[1], -plateau[1]))
    middle = (low + high) / 2
    return middle if middle > low else high


def _right_between(steps: Sequence[float], truth: int | None) -> tuple[float, float]:
    """The thresholds (low, high] at which this solution is judged rightly; empty where low >= high."""
    if truth is None:
        return -math.inf, min(steps)
    return steps[truth], min(steps[:truth], default=1.0)

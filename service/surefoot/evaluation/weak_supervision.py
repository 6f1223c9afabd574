"""What a student made of its weak supervisor (Burns et al. 2023, arXiv 2312.09390): formulas on plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import LabelsDegenerate

Array = NDArray[Any]

THRESHOLD = 0.5
"""From this probability on something is judged right."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The mean over seeds, the sample standard deviation (0 for one seed), and how many there are."""

    mean: float
    deviation: float
    count: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """Shares of examples judged alike by student and supervisor: of all, and of those where the supervisor is right and
    where it is wrong (`None` where there is none of these)."""

    overall: float
    where_right: float | None
    where_wrong: float | None


def performance_gap_recovered(weak: float, student: float, ceiling: float) -> float | None:
    """PGR = (student - weak) / (ceiling - weak), of accuracies.

    1 is a student as good as the ceiling, 0 one as good as its supervisor, below 0 a worse one. `None` where the
    ceiling is not above the weak supervisor: there is no gap then that could be recovered.
    """
    return (student - weak) / (ceiling - weak) if ceiling > weak else None


def judgements(probabilities: Array) -> Array:
    """[n] of bool: what is judged right."""
    return np.asarray(probabilities) >= THRESHOLD


def accuracy(probabilities: Array, labels: Array) -> float:
    """Share of the judgements that equal the labels (of bool). Raises `LabelsDegenerate` without any."""
    if not len(labels):
        raise LabelsDegenerate("labels: accuracy needs one at least")
    return float((judgements(probabilities) == labels).mean())


def agreement(student: Array, supervisor: Array, labels: Array) -> Agreement:
    """`student` and `supervisor` are [n] probabilities, `labels` [n] of bool. Raises `LabelsDegenerate` without any."""
    if not len(labels):
        raise LabelsDegenerate("labels: agreement needs one at least")
    alike = judgements(student) == judgements(supervisor)
    is_right = judgements(supervisor) == labels
    return Agreement(float(alike.mean()), _share(alike[is_right]), _share(alike[~is_right]))


def spread(values: Sequence[float]) -> Spread:
    """Of one value at least."""
    return Spread(fmean(values), stdev(values) if len(values) > 1 else 0.0, len(values))


def gap_is_clear(weak: Sequence[float], ceiling: Sequence[float]) -> bool:
    """Whether the ceiling is above the supervisor by more than the spread, so that a PGR means something.

    The accuracies are paired by seed. Clear is a mean gap above twice its standard error over two seeds at least; of a
    single seed nothing is.
    """
    gaps = [high - low for low, high in zip(weak, ceiling, strict=True)]
    if len(gaps) < 2:
        return False
    found = spread(gaps)
    return found.mean > 2 * found.deviation / found.count**0.5 and found.mean > 0


def _share(alike: Array) -> float | None:
    return float(alike.mean()) if len(alike) else None

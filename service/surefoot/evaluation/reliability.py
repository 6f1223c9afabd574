"""Whether probabilities mean what they say: expected calibration error, Brier score, and the bins of a diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

NUM_BINS = 15


@dataclass(frozen=True, slots=True)
class Bin:
    """Steps whose scores are in [low, high): their number, mean score, and share of steps labelled right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def equal_width_bins(scores: Array, labels: Array, num_bins: int = NUM_BINS) -> tuple[Bin, ...]:
    """[0, 1] cut into equal parts, the last one with its upper end; parts without steps are left out.

    `scores` and `labels` (of bool) are [steps].
    """
    places = np.minimum((scores * num_bins).astype(int), num_bins - 1)
    return tuple(
        _bin(index / num_bins, (index + 1) / num_bins, scores[places == index], labels[places == index])
        for index in np.unique(places).tolist()
    )


def equal_mass_bins(scores: Array, labels: Array, num_bins: int = NUM_BINS) -> tuple[Bin, ...]:
    """The steps in the order of their scores, cut into parts whose sizes differ by one at most.

    `low` and `high` are a part's smallest and largest score. Equal scores keep the order of the data.
    """
    order = np.argsort(scores, kind="stable")
    parts = [part for part in np.array_split(order, num_bins) if len(part)]
    return tuple(_bin(float(scores[part[0]]), float(scores[part[-1]]), scores[part], labels[part]) for part in parts)


def calibration_error(bins: Sequence[Bin]) -> float:
    """ECE = Σ_b n_b / N · |accuracy_b - confidence_b| (Naeini et al. 2015; Guo et al. 2017, arXiv 1706.04599)."""
    total = sum(part.count for part in bins)
    return sum(part.count / total * abs(part.accuracy - part.confidence) for part in bins)


def brier_score(scores: Array, labels: Array) -> float:
    """Mean of (p - y)² with y = 1 for right (Brier 1950)."""
    return float(np.mean((scores - labels) ** 2))


def _bin(low: float, high: float, scores: Array, labels: Array) -> Bin:
    return Bin(low, high, len(scores), float(scores.mean()), float(labels.mean()))

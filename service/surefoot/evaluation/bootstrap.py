"""How far a mean over problems would have come out otherwise: the percentile bootstrap (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

NUM_RESAMPLES = 2000
LEVEL = 0.95
"""Share of the resamples that an interval holds."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value on all problems, and the ends between which it lies in `LEVEL` of the resamples."""

    value: float
    low: float
    high: float


def resamples(num: int, seed: int, num_resamples: int = NUM_RESAMPLES) -> Array:
    """[num_resamples, num] of int: how often each problem is drawn when `num` are drawn with replacement.

    Measures that take the same draws are compared problem by problem.
    """
    return np.random.default_rng(seed).multinomial(num, np.full(num, 1 / num), size=num_resamples)


def interval_of(measure: Callable[[Array], Array], num: int, draws: Array) -> Interval:
    """`measure` takes weights [draws, num] and gives [draws]; draws for which it is not a number are left out."""
    value = float(measure(np.ones((1, num)))[0])
    found = measure(draws)
    found = found[np.isfinite(found)]
    if not len(found):
        return Interval(value, value, value)
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return Interval(value, low, high)


def mean_interval(values: Array, draws: Array) -> Interval:
    """Of the mean of `values`, one a problem."""
    return interval_of(lambda weights: weights @ values / weights.sum(axis=1), len(values), draws)

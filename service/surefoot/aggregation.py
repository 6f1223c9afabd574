"""From the scores of a solution's steps to one number, and to the place of the first error.

With p_i the probability that step i is correct, *Let's Verify Step by Step* (arXiv 2305.20050) scores a solution
with the probability that every step is correct: prod = Π p_i. sum_logprob = Σ ln p_i is its logarithm, min the
weakest step, last the final step, mean the arithmetic mean. sum = Σ r_i and soft_min = Σ softmax(-r / T)_i r_i are
for families with signed rewards (the latter is PURE's, arXiv 2504.15275, T = 0.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import get_args

from surefoot.domain import PROBABILITY_FLOOR, Aggregation, Scale

_EVERY_SCALE: frozenset[Scale] = frozenset(get_args(Scale))
_SOFT_MIN_TEMPERATURE = 0.1
_PROBABILITY_ONLY: frozenset[Scale] = frozenset({"probability"})


def _sum_logprob(scores: Sequence[float]) -> float:
    return math.fsum(math.log(min(max(score, PROBABILITY_FLOOR), 1 - PROBABILITY_FLOOR)) for score in scores)


def _prod(scores: Sequence[float]) -> float:
    return math.exp(_sum_logprob(scores))


def _last(scores: Sequence[float]) -> float:
    return scores[-1]


def _soft_min(scores: Sequence[float]) -> float:
    lowest = min(scores)
    weights = [math.exp((lowest - score) / _SOFT_MIN_TEMPERATURE) for score in scores]
    return math.fsum(weight * score for weight, score in zip(weights, scores, strict=True)) / math.fsum(weights)


AGGREGATORS: Mapping[Aggregation, Callable[[Sequence[float]], float]] = {
    "prod": _prod,
    "min": min,
    "mean": fmean,
    "last": _last,
    "sum_logprob": _sum_logprob,
    "sum": math.fsum,
    "soft_min": _soft_min,
}
"""Each takes at least one score, in the order of the steps."""

DEFINED_ON: Mapping[Aggregation, frozenset[Scale]] = {
    "prod": _PROBABILITY_ONLY,
    "min": _EVERY_SCALE,
    "mean": _EVERY_SCALE,
    "last": _EVERY_SCALE,
    "sum_logprob": _PROBABILITY_ONLY,
    "sum": _EVERY_SCALE,
    "soft_min": _EVERY_SCALE,
}
"""The scales on which an aggregation means something."""


def aggregate(scores: Sequence[float], aggregation: Aggregation) -> float:
    """One number for a solution. Raises `ValueError` without any score.

    prod and sum_logprob keep every probability inside [floor, 1 - floor] (`PROBABILITY_FLOOR`) before the logarithm.
    """
    if not scores:
        raise ValueError("scores is empty; an aggregation needs at least one score")
    return AGGREGATORS[aggregation](scores)


def first_error(scores: Sequence[float], threshold: float) -> int | None:
    """The lowest step index whose score is strictly below the threshold, `None` where there is none."""
    return next((index for index, score in enumerate(scores) if score < threshold), None)


def first_error_distribution(probabilities: Sequence[float]) -> tuple[tuple[float, ...], float]:
    """P(first error = i) = (1 - p_i) · Π_{j<i} p_j for each step, and Π p_j, the probability of no error.

    The p_i are probabilities that a step is correct, taken as they are; together the results sum to 1.
    """
    no_error_yet = 1.0
    first_errors: list[float] = []
    for probability in probabilities:
        first_errors.append(no_error_yet * (1 - probability))
        no_error_yet *= probability
    return tuple(first_errors), no_error_yet

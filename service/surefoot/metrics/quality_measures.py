"""What tells whether rewards are worth training on: pure functions on scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from surefoot.domain import Aggregation, Scale, ScoredBy, SolutionScore

Floats = npt.NDArray[np.float64]

SATURATED_BELOW, SATURATED_ABOVE = 0.01, 0.99
_SCALE_OF_AGGREGATION: dict[Aggregation, Scale] = {
    "prod": "probability",
    "sum_logprob": "unbounded",
    "sum": "unbounded",
}


def solution_scale(by: ScoredBy) -> Scale:
    """The scale of the model's own solution scores: products are probabilities, sums have no bounds, and every other
    aggregate is on the scale of the steps."""
    return by.scale if by.kind == "outcome" else _SCALE_OF_AGGREGATION.get(by.aggregation, by.scale)


def own_score(by: ScoredBy, solution: SolutionScore) -> float:
    """The score of a solution in the model's own aggregation, whichever one the request asked for.

    Otherwise a change of the callers' habits would look like a change of the model.
    """
    return solution.score if by.kind == "outcome" else solution.aggregations[by.aggregation]


def num_saturated(probabilities: Floats) -> int:
    """How many probabilities are below 0.01 or above 0.99, where they tell candidates apart no more."""
    return int(np.count_nonzero((probabilities < SATURATED_BELOW) | (probabilities > SATURATED_ABOVE)))


def relative_position(index: int, num_steps: int) -> float:
    """Where in a solution a step lies, in (0, 1]: (index + 1) / num_steps, 1 for the last step."""
    return (index + 1) / num_steps


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rho in [-1, 1]: the linear correlation of the ranks, equal values sharing their mean rank.

    C. Spearman, "The Proof and Measurement of Association between Two Things" (1904). `None` for fewer than three
    pairs, and where all values of either are equal.
    """
    if len(first) < 3 or min(first) == max(first) or min(second) == max(second):
        return None
    left, right = (_mean_ranks(np.asarray(values, float)) for values in (first, second))
    left, right = left - left.mean(), right - right.mean()
    rho = float(left @ right / np.sqrt((left @ left) * (right @ right)))
    return min(1.0, max(-1.0, rho))


def have_different_bests(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether no candidate has the highest score by both; whoever shares a highest score is among the best."""
    highest, other_highest = max(first), max(second)
    return not any(a == highest and b == other_highest for a, b in zip(first, second, strict=True))


def _mean_ranks(values: Floats) -> Floats:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Floats = (ends - (counts - 1) / 2)[places]
    return ranks

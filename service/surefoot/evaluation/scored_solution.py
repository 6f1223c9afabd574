"""What models, checks and plain counts say of a solution, and every score of it that is compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from surefoot.checks import FAILED_CHECK_FACTOR
from surefoot.domain import Aggregation

Array = NDArray[Any]
StepScorer = Literal["prm", "checks", "both"]
ScorerName = Literal[
    "prm_prod",
    "prm_min",
    "prm_last",
    "prm_mean",
    "both_prod",
    "both_min",
    "orm",
    "checks",
    "num_steps",
    "num_characters",
]


@dataclass(frozen=True, slots=True)
class ScoredSolution:
    """`steps` are the process model's scores, `both` these with the verdicts of the checks taken in.

    Aggregates are by name. `failed` says of each step whether a check failed it. Empty where the process model could
    not score it, and `both` where its scores are no probabilities. `outcome` is the outcome model's score.
    """

    num_characters: int
    steps: tuple[float, ...] = ()
    aggregates: Mapping[str, float] = field(default_factory=dict)
    failed: tuple[bool, ...] = ()
    both: tuple[float, ...] = ()
    both_aggregates: Mapping[str, float] = field(default_factory=dict)
    outcome: float | None = None

    def step_scores(self, scorer: StepScorer) -> tuple[float, ...]:
        """One score a step; checks alone take every step for right that they did not fail."""
        if scorer == "checks":
            return tuple(FAILED_CHECK_FACTOR if failed else 1.0 for failed in self.failed)
        return self.steps if scorer == "prm" else self.both


@dataclass(frozen=True, slots=True)
class Scorer:
    """A way to score whole solutions; `None` where there is nothing to score with."""

    title: str
    score: Callable[[ScoredSolution], float | None]


def _aggregate(name: Aggregation) -> Callable[[ScoredSolution], float | None]:
    return lambda solution: solution.aggregates.get(name)


def _both(name: Aggregation) -> Callable[[ScoredSolution], float | None]:
    return lambda solution: solution.both_aggregates.get(name)


def _fewest_failed(solution: ScoredSolution) -> float | None:
    return -float(sum(solution.failed)) if solution.failed else None


STEP_SCORERS: Mapping[StepScorer, str] = MappingProxyType(
    {"prm": "PRM alone", "checks": "arithmetic checks alone", "both": "PRM with checks"}
)
"""The titles of what scores steps."""

SCORERS: Mapping[ScorerName, Scorer] = MappingProxyType(
    {
        "prm_prod": Scorer("PRM, product", _aggregate("prod")),
        "prm_min": Scorer("PRM, minimum", _aggregate("min")),
        "prm_last": Scorer("PRM, last step", _aggregate("last")),
        "prm_mean": Scorer("PRM, mean", _aggregate("mean")),
        "both_prod": Scorer("PRM with checks, product", _both("prod")),
        "both_min": Scorer("PRM with checks, minimum", _both("min")),
        "orm": Scorer("ORM", lambda solution: solution.outcome),
        "checks": Scorer("checks alone: fewest failed steps", _fewest_failed),
        "num_steps": Scorer("number of steps", lambda solution: float(len(solution.failed))),
        "num_characters": Scorer("number of characters", lambda solution: float(solution.num_characters)),
    }
)
"""In the order of the report; the last two read nothing and show what length alone gives away."""


def score_table(solutions: Sequence[ScoredSolution], scorer: ScorerName) -> Array | None:
    """[solutions]; what could not be scored lies below everything else. `None` where nothing could be."""
    scores = [SCORERS[scorer].score(solution) for solution in solutions]
    if all(score is None for score in scores):
        return None
    return np.array([-np.inf if score is None else score for score in scores])

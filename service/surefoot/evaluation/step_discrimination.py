"""How well step scores tell wrong steps from right ones: by the kind of error, and by the place in the solution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import LabelsDegenerate
from surefoot.evaluation.discrimination import auroc
from surefoot.evaluation.first_error_measures import MAX_POSITIONS
from surefoot.evaluation.scored_solution import STEP_SCORERS, ScoredSolution, StepScorer

Array = NDArray[Any]

NO_FAMILY = "not named"


@dataclass(frozen=True, slots=True)
class LabelledSolution:
    """`is_right` has a label for each step, `None` where nobody said; `family` is the kind of error in it.

    `is_correct` says whether the solution as a whole is right, `None` where nobody said.
    """

    scored: ScoredSolution
    is_right: tuple[bool | None, ...]
    family: str | None = None
    is_correct: bool | None = None


@dataclass(frozen=True, slots=True)
class StepGroup:
    """Wrong steps of one sort against right ones; `None` where there are not both, or nothing was scored."""

    name: str
    num_wrong: int
    num_right: int
    auroc: Mapping[StepScorer, float | None]


@dataclass(frozen=True, slots=True)
class _Step:
    is_right: bool
    family: str
    position: int
    scores: Mapping[StepScorer, float]


def by_family(solutions: Sequence[LabelledSolution]) -> tuple[StepGroup, ...]:
    """All wrong steps first, then those of each family by name, each against all right steps of the data."""
    steps = list(_labelled_steps(solutions))
    rights = [step for step in steps if step.is_right]
    wrongs = [step for step in steps if not step.is_right]
    families = sorted({step.family for step in wrongs})
    return (
        _group("all", wrongs, rights),
        *(_group(family, [step for step in wrongs if step.family == family], rights) for family in families),
    )


def by_position(solutions: Sequence[LabelledSolution]) -> tuple[StepGroup, ...]:
    """The steps at each place from 0 against each other; the last place stands for all later ones."""
    steps = list(_labelled_steps(solutions))
    groups = []
    for position in sorted({step.position for step in steps}):
        here = [step for step in steps if step.position == position]
        name = f"{position}+" if position == MAX_POSITIONS - 1 else f"{position}"
        wrongs, rights = ([step for step in here if step.is_right is right] for right in (False, True))
        groups.append(_group(name, wrongs, rights))
    return tuple(groups)


def auroc_or_none(scores: Array, labels: Array) -> float | None:
    """`None` without right and wrong ones."""
    try:
        return auroc(scores, labels)
    except LabelsDegenerate:
        return None


def _labelled_steps(solutions: Sequence[LabelledSolution]) -> Iterator[_Step]:
    for solution in solutions:
        by_scorer = {scorer: solution.scored.step_scores(scorer) for scorer in STEP_SCORERS}
        for index, label in enumerate(solution.is_right):
            if label is not None:
                scores = {scorer: each[index] for scorer, each in by_scorer.items() if each}
                yield _Step(label, solution.family or NO_FAMILY, min(index, MAX_POSITIONS - 1), scores)


def _group(name: str, wrongs: Sequence[_Step], rights: Sequence[_Step]) -> StepGroup:
    steps = [*wrongs, *rights]
    labels = np.array([step.is_right for step in steps], dtype=bool)
    found: dict[StepScorer, float | None] = {}
    for scorer in STEP_SCORERS:
        is_scored = all(scorer in step.scores for step in steps)
        scores = np.array([step.scores[scorer] for step in steps]) if is_scored else None
        found[scorer] = None if scores is None else auroc_or_none(scores, labels)
    return StepGroup(name, len(wrongs), len(rights), found)

"""Rounds of active learning: which solutions of a pool are labelled next, never one that was labelled before."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import blake2b
from types import MappingProxyType
from typing import Literal

from surefoot.convincing import Judged, Reason, choose_convincing
from surefoot.training.dataset import text_key
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.model_solutions import certain_labels
from surefoot.training.overlap import ProblemIndex

Choosing = Literal["convincing", "uniform"]
"""The most convincing solutions by the newest model, or any with equal chances."""

Labeller = Literal["rule", "rollouts", "reference", "hand-off"]
"""Who labels: certain rules, rollouts, the labels that the pool's rows have already, or people."""

WRONG_FRACTION = 0.8
"""Share of convincing wrong answers among what is chosen (arXiv 2305.20050, section 4.2)."""


@dataclass(frozen=True, slots=True)
class PoolSolution:
    """A solution that may be labelled; `reference` holds the results of the right one, where that is known."""

    row: LabelledRow
    reference: frozenset[Fraction] = frozenset()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A place in the pool, why it was taken, and the score that it was taken for."""

    place: int
    reason: Reason | Literal["uniform"]
    score: float | None = None


def row_key(row: LabelledRow) -> str:
    """Names a solution by its text, 16 hex digits: rows that differ in white space or case alone are one."""
    return blake2b(text_key(row).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def rule_labelled(solution: PoolSolution) -> LabelledRow:
    """The row with labels where the rules are certain, else with none."""
    row = solution.row
    if row.is_correct is None:
        return replace(row, labels=(None,) * len(row.steps))
    return replace(row, labels=certain_labels(row.steps, solution.reference, is_correct=row.is_correct))


CAN_LABEL: Mapping[Labeller, Callable[[PoolSolution], bool]] = MappingProxyType(
    {
        "rule": lambda solution: rule_labelled(solution).is_judged,
        "rollouts": lambda solution: solution.row.answer is not None,
        "reference": lambda solution: solution.row.is_judged,
        "hand-off": lambda _: True,
    }
)
"""What each can label: nothing else is chosen, so that as many labels come back as are asked for."""


def open_solutions(pool: Iterable[PoolSolution], labeller: Labeller, taken: Collection[str]) -> list[PoolSolution]:
    """Those that may be chosen, each text once; `taken` are the keys of what is labelled already."""
    seen = set(taken)
    found = []
    for solution in pool:
        key = row_key(solution.row)
        if key not in seen and CAN_LABEL[labeller](solution):
            seen.add(key)
            found.append(solution)
    return found


def choose(
    solutions: Sequence[PoolSolution],
    scores: Sequence[float | None],
    how: Choosing,
    count: int,
    seed: str,
) -> list[Chosen]:
    """At most `count` places of `solutions`. One without a score is never convincing; a uniform draw reads none."""
    if how == "uniform":
        drawn = random.Random(f"{seed}/uniform").sample(range(len(solutions)), min(count, len(solutions)))  # noqa: S311  a draw, not a secret
        return [Chosen(place, "uniform") for place in sorted(drawn)]
    judged = [
        Judged(place, score, solution.row.is_correct)
        for place, (solution, score) in enumerate(zip(solutions, scores, strict=True))
        if score is not None
    ]
    choices = choose_convincing(judged, count, WRONG_FRACTION)
    return [Chosen(choice.index, choice.reason, scores[choice.index]) for choice in choices]


class KeptApart:
    """Problems that must not be trained on: near copies of excluded ones, and the very ones validated on."""

    def __init__(self, excluded: Iterable[str], validated: Iterable[str]) -> None:
        self._excluded = ProblemIndex(excluded)
        self._validated = {_plain(problem) for problem in validated}
        self._known: dict[str, bool] = {}

    def __contains__(self, problem: str) -> bool:
        if problem not in self._known:
            is_apart = _plain(problem) in self._validated or self._excluded.overlap(problem) is not None
            self._known[problem] = is_apart
        return self._known[problem]


def _plain(problem: str) -> str:
    return " ".join(problem.lower().split())

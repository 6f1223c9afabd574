"""Which candidate is best: by its own score, or by the vote of candidates whose answers are equivalent.

In a weighted vote an answer weighs the sum of its candidates' scores (arXiv 2206.02336, 2211.14275); with weight 1
the vote is self-consistency (arXiv 2203.11171).
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from surefoot.domain import Strategy

ScoreField = Literal["process", "process_unit", "outcome", "outcome_unit"]

NEEDS_PROCESS: Mapping[Strategy, bool] = {
    "process": True,
    "outcome": False,
    "majority": False,
    "process_weighted": True,
    "outcome_weighted": False,
    "process_outcome": True,
}
NEEDS_OUTCOME: Mapping[Strategy, bool] = {
    "process": False,
    "outcome": True,
    "majority": False,
    "process_weighted": False,
    "outcome_weighted": True,
    "process_outcome": True,
}
NEEDS_UNIT_SCORES: frozenset[Strategy] = frozenset({"process_weighted", "outcome_weighted", "process_outcome"})


@dataclass(frozen=True, slots=True)
class Vote:
    """One group of equivalent answers."""

    answer: str
    weight: float
    count: int
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RankEntry:
    """What selection needs to know of one candidate; `failed` candidates are ranked last and never win.

    `process` and `outcome` are the models' scores on their own scale, the `_unit` ones mapped into (0, 1).
    `answer_group` numbers the class of equivalent answers, `None` when no answer was found.
    """

    index: int
    answer: str | None
    answer_group: int | None
    process: float | None = None
    process_unit: float | None = None
    outcome: float | None = None
    outcome_unit: float | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """The outcome of a strategy: `order` lists candidate indices best first, failed ones last.

    `relevance[i]` belongs to candidate index i (`None` when it failed). `best` is `None` when abstaining or when
    there is nothing to choose from.
    """

    order: tuple[int, ...]
    relevance: Mapping[int, float | None]
    best: int | None
    answer: str | None
    votes: tuple[Vote, ...] = ()
    agreement: float | None = None
    tie: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A strategy: a candidate's value is the product of the named scores, 1 without any.

    `by_vote` sums the values per answer and ranks the answers first; otherwise candidates are ranked by value.
    """

    scores: tuple[ScoreField, ...]
    by_vote: bool


STRATEGIES: Mapping[Strategy, Rule] = {
    "process": Rule(("process",), by_vote=False),
    "outcome": Rule(("outcome",), by_vote=False),
    "process_outcome": Rule(("process_unit", "outcome_unit"), by_vote=False),
    "majority": Rule((), by_vote=True),
    "process_weighted": Rule(("process_unit",), by_vote=True),
    "outcome_weighted": Rule(("outcome_unit",), by_vote=True),
}


@dataclass(frozen=True, slots=True)
class _Ranking:
    """Live candidates best first, the relevance of each by index, and whether a tie had to be decided."""

    order: tuple[int, ...]
    relevance: Mapping[int, float]
    tie: bool


def select(
    strategy: Strategy,
    entries: Sequence[RankEntry],
    *,
    tie_seed: int | None = None,
    abstain_below: float | None = None,
) -> Selection:
    """Rank the candidates of one problem and name the best.

    Relevance is the candidate's score, or for votes its answer's share of the total weight in [0, 1] and 0 without
    an answer. Equal tops are a tie: the lowest index wins, or with `tie_seed` a choice that the seed alone
    determines. Abstains where the best's relevance is below `abstain_below`. Votes of score strategies weigh 1 each.
    Raises `ValueError` where a candidate that did not fail lacks a score the strategy needs, or an index repeats.
    """
    rule = STRATEGIES[strategy]
    by_index = {entry.index: entry for entry in sorted(entries, key=lambda entry: entry.index)}
    if len(by_index) != len(entries):
        raise ValueError("entries must have distinct indices")
    values = {index: _value(entry, rule) for index, entry in by_index.items() if not entry.failed}
    classes = _answer_classes(by_index)
    weights = {
        group: math.fsum(values[i] for i in members) if rule.by_vote else float(len(members))
        for group, members in classes.items()
    }
    ranking = _rank_by_vote(values, classes, weights, tie_seed) if rule.by_vote else _rank_by_score(values, tie_seed)

    failed = tuple(index for index, entry in by_index.items() if entry.failed)
    best = _best(ranking, has_choice=bool(classes) if rule.by_vote else bool(values), abstain_below=abstain_below)
    return Selection(
        order=ranking.order + failed,
        relevance={index: ranking.relevance.get(index) for index in by_index},
        best=best,
        answer=None if best is None else by_index[best].answer,
        votes=_votes(by_index, classes, weights, ranking.order),
        agreement=_agreement(classes),
        tie=ranking.tie,
    )


def ballots(strategy: Strategy, entries: Sequence[RankEntry]) -> list[tuple[int, float]]:
    """The answer group and the weight of every candidate that votes, in the order of `entries`."""
    return [
        (entry.answer_group, _value(entry, STRATEGIES[strategy]))
        for entry in entries
        if not entry.failed and entry.answer is not None and entry.answer_group is not None
    ]


def _value(entry: RankEntry, rule: Rule) -> float:
    value = 1.0
    for name in rule.scores:
        score: float | None = getattr(entry, name)
        if score is None:
            raise ValueError(f"entry {entry.index} has no {name} score; set it or mark the entry failed")
        value *= score
    return value


def _answer_classes(by_index: Mapping[int, RankEntry]) -> dict[int, list[int]]:
    """Indices of the candidates that vote, ascending, by answer group."""
    classes: dict[int, list[int]] = {}
    for index, entry in by_index.items():
        if not entry.failed and entry.answer is not None and entry.answer_group is not None:
            classes.setdefault(entry.answer_group, []).append(index)
    return classes


def _by_value(values: Mapping[int, float], indices: Sequence[int]) -> list[int]:
    return sorted(indices, key=lambda index: (-values[index], index))


def _choose(tied: Sequence[int], tie_seed: int | None) -> int:
    """One of the tied, which are given in ascending order of (first) index."""
    return tied[0] if tie_seed is None else random.Random(tie_seed).choice(tied)  # noqa: S311 - a tie, not a secret


def _rank_by_score(values: Mapping[int, float], tie_seed: int | None) -> _Ranking:
    order = _by_value(values, list(values))
    tied = [index for index in order if values[index] == values[order[0]]]
    if len(tied) > 1:
        winner = _choose(tied, tie_seed)
        order = [winner, *(index for index in order if index != winner)]
    return _Ranking(tuple(order), values, tie=len(tied) > 1)


def _rank_by_vote(
    values: Mapping[int, float],
    classes: Mapping[int, Sequence[int]],
    weights: Mapping[int, float],
    tie_seed: int | None,
) -> _Ranking:
    groups = sorted(classes, key=lambda group: (-weights[group], classes[group][0]))
    tied = [group for group in groups if weights[group] == weights[groups[0]]]
    if len(tied) > 1:
        winner = _choose(tied, tie_seed)
        groups = [winner, *(group for group in groups if group != winner)]
    total = math.fsum(weights.values())
    relevance = dict.fromkeys(values, 0.0)
    order: list[int] = []
    for group in groups:
        relevance.update(dict.fromkeys(classes[group], weights[group] / total if total > 0 else 0.0))
        order += _by_value(values, classes[group])
    voted = set(order)
    order += _by_value(values, [index for index in values if index not in voted])
    return _Ranking(tuple(order), relevance, tie=len(tied) > 1)


def _best(ranking: _Ranking, *, has_choice: bool, abstain_below: float | None) -> int | None:
    if not has_choice:
        return None
    best = ranking.order[0]
    abstains = abstain_below is not None and ranking.relevance[best] < abstain_below
    return None if abstains else best


def _votes(
    by_index: Mapping[int, RankEntry],
    classes: Mapping[int, Sequence[int]],
    weights: Mapping[int, float],
    order: Sequence[int],
) -> tuple[Vote, ...]:
    """Heaviest first, then by first index; the answer is spelled as its best-ranked candidate spells it."""
    spelling: dict[int, str] = {}
    for index in order:
        entry = by_index[index]
        if entry.answer is not None and entry.answer_group is not None:
            spelling.setdefault(entry.answer_group, entry.answer)
    groups = sorted(classes, key=lambda group: (-weights[group], classes[group][0]))
    return tuple(Vote(spelling[group], weights[group], len(classes[group]), tuple(classes[group])) for group in groups)


def _agreement(classes: Mapping[int, Sequence[int]]) -> float | None:
    sizes = [len(members) for members in classes.values()]
    return max(sizes) / sum(sizes) if sizes else None

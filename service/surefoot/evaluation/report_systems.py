"""The part of an evaluation report on several systems' solutions of the same problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import LabelsDegenerate
from surefoot.evaluation.balanced_pairs import BalancedPairs, balanced_pairs
from surefoot.evaluation.bootstrap import LEVEL, NUM_RESAMPLES, Interval, mean_interval, resamples
from surefoot.evaluation.choice_among import Groups, at_random, by_score, by_vote, oracle, strongest
from surefoot.evaluation.report_page import Figure, Section, number, spanned, table
from surefoot.evaluation.scored_solution import SCORERS, ScoredSolution, ScorerName, score_table

Array = NDArray[Any]

MAJORITY, RANDOM, ORACLE = "majority vote", "random choice", "oracle"
_COMPARED = (("prm_prod", "majority"), ("orm", "majority"), ("prm_prod", "orm"), ("prm_weighted", "majority"))


@dataclass(frozen=True, slots=True)
class SystemSolutions:
    """[problems, systems] of solutions, whether they are right, and the classes of their answers."""

    systems: tuple[str, ...]
    solutions: Sequence[Sequence[ScoredSolution]]
    rights: Array
    groups: Groups


@dataclass(frozen=True, slots=True)
class SystemMeasures:
    """Balanced pairs by score; the accuracy of each way of choosing by its title; and differences of two ways."""

    num_problems: int
    systems: Mapping[str, float]
    pairs: Mapping[ScorerName, BalancedPairs]
    choices: Mapping[str, Interval]
    differences: Mapping[str, Interval]


def measure_systems(data: SystemSolutions, seed: int) -> SystemMeasures:
    """All measures with their intervals over problems; all are drawn together, so that ways are compared in pairs."""
    draws = resamples(len(data.rights), seed)
    flat = [solution for row in data.solutions for solution in row]
    tables = {
        scorer: found.reshape(data.rights.shape)
        for scorer in SCORERS
        if (found := score_table(flat, scorer)) is not None
    }
    ways = _ways(data, tables)
    differences = {
        f"{ways[first][0]} − {ways[second][0]}": mean_interval(ways[first][1] - ways[second][1], draws)
        for first, second in _COMPARED
        if first in ways and second in ways
    }
    return SystemMeasures(
        num_problems=len(data.rights),
        systems=dict(zip(data.systems, data.rights.mean(axis=0).tolist(), strict=True)),
        pairs=_pairs(data, tables, draws),
        choices={title: mean_interval(values, draws) for title, values in ways.values()},
        differences=differences,
    )


def systems_section(measures: SystemMeasures, facts: Mapping[str, object], command: str) -> Section:
    """For a reader."""
    solved = table(["system", "right"], [[name, number(right)] for name, right in measures.systems.items()])
    body = (
        f"{solved}\n### Balanced pairs\n\n{_pairs_part(measures)}\n"
        f"### Choice among the {len(measures.systems)}\n\n"
        f"{table(['chosen by', 'right'], [[title, spanned(found)] for title, found in measures.choices.items()])}\n"
        "Ties count with the chance of a right choice among the tied, where `best-of-n` takes the first of them. The "
        "oracle picks a right one where one is.\n"
        "\n### Differences\n\n"
        f"{table(['', 'difference'], [[title, spanned(found)] for title, found in measures.differences.items()])}\n"
        f"In brackets {LEVEL:.0%} of {NUM_RESAMPLES} resamples of the problems (paired: both ways choose on the same "
        "resample). A difference whose interval holds 0 may be chance.\n"
    )
    figures = [Figure("choices", "Share of the problems whose chosen solution is right")]
    if measures.pairs:
        figures.insert(0, Figure("pairs", "Balanced pairs: share in which the right solution scores higher"))
    return Section("Systems", _headline(measures), facts, command, body, tuple(figures))


def _headline(measures: SystemMeasures) -> str:
    pairs = ", ".join(
        f"{SCORERS[scorer].title} {number(found.mean.value)}"
        for scorer, found in measures.pairs.items()
        if scorer in ("prm_prod", "orm")
    )
    named = (SCORERS["prm_prod"].title, SCORERS["orm"].title, MAJORITY, ORACLE)
    chosen = ", ".join(
        f"{title} {number(measures.choices[title].value)}" for title in named if title in measures.choices
    )
    return (f"balanced pairs: {pairs}; " if pairs else "") + f"choice among {len(measures.systems)}: {chosen}"


def _ways(data: SystemSolutions, tables: Mapping[ScorerName, Array]) -> dict[str, tuple[str, Array]]:
    """By a short name the title of a way of choosing and its chance of a right choice [problems]."""
    rights = data.rights
    ways = {
        str(scorer): (SCORERS[scorer].title, by_score(scores, rights))
        for scorer, scores in tables.items()
        if scorer not in ("num_steps", "num_characters")
    }
    if "prm_prod" in tables:
        weights = np.where(np.isfinite(tables["prm_prod"]), tables["prm_prod"], 0.0)
        ways["prm_weighted"] = ("vote weighted by PRM product", by_vote(data.groups, rights, weights))
    best = strongest(rights)
    ways["majority"] = (MAJORITY, by_vote(data.groups, rights))
    ways["strongest"] = (f"always {data.systems[best]}, the strongest here", rights[:, best].astype(float))
    ways["random"] = (RANDOM, at_random(rights))
    ways["oracle"] = (ORACLE, oracle(rights))
    return ways


def _pairs(data: SystemSolutions, tables: Mapping[ScorerName, Array], draws: Array) -> dict[ScorerName, BalancedPairs]:
    try:
        return {scorer: balanced_pairs(scores, data.rights, data.systems, draws) for scorer, scores in tables.items()}
    except LabelsDegenerate:
        return {}


def _pairs_part(measures: SystemMeasures) -> str:
    if not measures.pairs:
        return "Left out: they need two systems, each of which solves a problem that the other does not.\n"
    means = [[SCORERS[scorer].title, spanned(found.mean)] for scorer, found in measures.pairs.items()]
    some = next(iter(measures.pairs.values()))
    columns = [f"{pair.first} / {pair.second}" for pair in some.pairs]
    counts = ["problems"] + [f"{pair.num_first_right} / {pair.num_second_right}" for pair in some.pairs]
    by_pair = [
        [SCORERS[scorer].title]
        + [f"{pair.balanced:.3f} ({pair.when_first_right:.3f} / {pair.when_second_right:.3f})" for pair in found.pairs]
        for scorer, found in measures.pairs.items()
    ]
    return (
        f"{table(['score', 'mean over the pairs of systems'], means)}\n"
        "Share of the problems that exactly one of two systems solves in which the right solution scores higher, ties "
        "as one half: the mean of both sides, so that knowing a system's style gains nothing. 0.5 is chance. By pair, "
        "in brackets where the first and where the second is right:\n\n"
        f"{table(['score', *columns], [counts, *by_pair])}"
    )

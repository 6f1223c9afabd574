"""How often the chosen one of N candidates is right, against N, for every way of choosing (arXiv 2305.20050, fig. 3).

A pool holds n candidates of one problem; N of them are drawn without replacement. Where the chance of a right choice
over all draws has a formula it is used; votes have none and are taken over seeded draws. The choice itself is always
that of `selection.select`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from surefoot.domain import Aggregation, Strategy
from surefoot.errors import PoolsTooSmall
from surefoot.selection import STRATEGIES, RankEntry, select

Array = NDArray[Any]

NUM_DRAWS = 200
"""Draws of N candidates a problem, where there is no formula and there are more draws than that."""

LineName = Literal["prm_prod", "prm_min", "prm_last", "prm_mean", "orm", "prm_weighted", "majority", "random", "oracle"]


@dataclass(frozen=True, slots=True)
class Line:
    """A way of choosing: a strategy, over an aggregate of the step scores where it reads a process model.

    A weighted vote takes the aggregate as its weight, so that has to be in (0, 1).
    """

    title: str
    strategy: Strategy | None = None
    aggregation: Aggregation | None = None


LINES: Mapping[LineName, Line] = MappingProxyType(
    {
        "prm_prod": Line("PRM, product", "process", "prod"),
        "prm_min": Line("PRM, minimum", "process", "min"),
        "prm_last": Line("PRM, last step", "process", "last"),
        "prm_mean": Line("PRM, mean", "process", "mean"),
        "orm": Line("ORM", "outcome"),
        "prm_weighted": Line("vote weighted by PRM product", "process_weighted", "prod"),
        "majority": Line("majority vote", "majority"),
        "random": Line("random choice"),
        "oracle": Line("oracle"),
    }
)
"""In the order of the report. Random choice and the oracle, which picks a right one where there is one, are bounds."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A solution, the class of its answer among the pool's, and its scores; `None` where a model could not score it.

    `process` holds the aggregates of the step scores by name.
    """

    is_right: bool
    answer: str | None = None
    answer_group: int | None = None
    process: Mapping[str, float] | None = None
    outcome: float | None = None


Pool = Sequence[Candidate]


@dataclass(frozen=True, slots=True)
class Point:
    """Accuracy over the problems at N, its mean over draws in [0, 1], and its standard deviation from draw to draw."""

    n: int
    accuracy: float
    spread: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A line's points, N rising."""

    line: LineName
    points: tuple[Point, ...]


def pass_at_k(num_right: int, num: int, k: int) -> float:
    """1 - C(n - c, k) / C(n, k): the chance that k of n candidates, c of them right, hold a right one.

    The unbiased estimate of arXiv 2107.03374, section 2.1. Needs 1 <= k <= n.
    """
    return 1 - math.comb(num - num_right, k) / math.comb(num, k)


def chances_of_first(num: int, k: int) -> Array:
    """[num], for ranks from the best: the chance that a rank is the best one among k of `num` drawn.

    The other k - 1 come from the ranks below it: C(num - 1 - rank, k - 1) / C(num, k).
    """
    return np.array([math.comb(num - 1 - rank, k - 1) / math.comb(num, k) for rank in range(num)])


def subsets(num: int, k: int, generator: np.random.Generator, num_draws: int = NUM_DRAWS) -> list[tuple[int, ...]]:
    """All ways to draw k of `num`, or `num_draws` random ones where there are more. Indices rise."""
    if math.comb(num, k) <= num_draws:
        return list(combinations(range(num), k))
    return [tuple(sorted(generator.choice(num, k, replace=False).tolist())) for _ in range(num_draws)]


def sizes_up_to(largest: int) -> list[int]:
    """1, 2, 4, … and the largest itself."""
    return [*(1 << power for power in range((largest - 1).bit_length())), largest]


def chances(
    line: LineName, pool: Pool, sizes: Sequence[int], seed: Sequence[int], num_draws: int = NUM_DRAWS
) -> list[float]:
    """The chance of a right choice among N drawn, for each N of `sizes`; votes draw the same N for every line."""
    num, num_right = len(pool), sum(candidate.is_right for candidate in pool)
    strategy = LINES[line].strategy
    if line == "random":
        return [num_right / num] * len(sizes)
    if strategy is None:
        return [pass_at_k(num_right, num, size) for size in sizes]
    entries = [_entry(index, candidate, LINES[line]) for index, candidate in enumerate(pool)]
    if not STRATEGIES[strategy].by_vote:
        # Of some of the candidates the best is the one that comes first in the order of all.
        order = select(strategy, entries).order
        rights = np.array([pool[index].is_right and not entries[index].failed for index in order])
        return [float(chances_of_first(num, size) @ rights) for size in sizes]
    found = []
    for size in sizes:
        drawn = subsets(num, size, np.random.default_rng((*seed, size)), num_draws)
        best = (select(strategy, [entries[index] for index in subset]).best for subset in drawn)
        found.append(sum(index is not None and pool[index].is_right for index in best) / len(drawn))
    return found


def curves(
    pools: Sequence[Pool], sizes: Sequence[int], seed: int, advance: Callable[[], None] = lambda: None
) -> tuple[Curve, ...]:
    """Every line for which there are scores. Problems draw independently, so with p their chances of a right choice
    the spread of the accuracy is √(Σ p (1 - p)) / problems. `advance` is called after each pool.

    Raises `PoolsTooSmall` without a pool, or where one has fewer candidates than the largest N.
    """
    if not pools or min(map(len, pools)) < max(sizes):
        raise PoolsTooSmall(
            "candidates: the largest N needs pools of that many; give a smaller --max-n, or rows that can be scored"
        )
    lines = [line for line in LINES if _is_scored(LINES[line], pools)]
    by_pool = []
    for number, pool in enumerate(pools):
        by_pool.append([chances(line, pool, sizes, (seed, number)) for line in lines])
        advance()
    found = np.array(by_pool)  # [pools, lines, sizes]
    accuracy = found.mean(axis=0)
    spread = np.sqrt((found * (1 - found)).clip(min=0).sum(axis=0)) / len(pools)
    return tuple(
        Curve(line, tuple(map(Point, sizes, accuracy[index].tolist(), spread[index].tolist())))
        for index, line in enumerate(lines)
    )


def _entry(index: int, candidate: Candidate, line: Line) -> RankEntry:
    process = None if line.aggregation is None else (candidate.process or {}).get(line.aggregation)
    scores = {"process": process, "process_unit": process, "outcome": candidate.outcome}
    needed = () if line.strategy is None else STRATEGIES[line.strategy].scores
    return RankEntry(
        index,
        candidate.answer,
        candidate.answer_group,
        process=process,
        process_unit=process,
        outcome=candidate.outcome,
        failed=any(scores[name] is None for name in needed),
    )


def _is_scored(line: Line, pools: Sequence[Pool]) -> bool:
    """Whether some candidate has the scores that a line reads."""
    return any(not _entry(0, candidate, line).failed for pool in pools for candidate in pool)

"""Does a score tell the right one of two solutions, whoever wrote it?

Over the problems that exactly one of two systems solves, the share in which the right solution scores higher. Where one
system is the stronger, a score that only knows the style of its author gets that share above one half. So it is taken
for either side by itself, P(A higher | A right) and P(B higher | B right), and the two are averaged: what a score gives
to a system as such raises one as it lowers the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import LabelsDegenerate
from surefoot.evaluation.bootstrap import Interval, interval_of

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class PairShare:
    """Two systems: the share in which the right one scores higher, where the first and where the second is right.

    `balanced` is the mean of both.
    """

    first: str
    second: str
    num_first_right: int
    num_second_right: int
    when_first_right: float
    when_second_right: float
    balanced: float


@dataclass(frozen=True, slots=True)
class BalancedPairs:
    """The mean over the pairs, with its interval over problems, and every pair that could be measured."""

    mean: Interval
    pairs: tuple[PairShare, ...]


def balanced_pairs(scores: Array, rights: Array, systems: Sequence[str], draws: Array) -> BalancedPairs:
    """`scores` and `rights` (of bool) are [problems, systems], `draws` [resamples, problems]; ties count one half.

    A pair needs problems that the first alone solves and ones that the second alone solves; others are left out.
    Raises `LabelsDegenerate` where no pair has both.
    """
    names = [pair for pair in combinations(range(len(systems)), 2) if np.all(_decided(rights, *pair).any(axis=0))]
    if not names:
        raise LabelsDegenerate("systems: balanced pairs need two systems, each of which solves a problem alone")
    counted = np.stack([_decided(rights, *pair) for pair in names], axis=1)  # [problems, pairs, 2]
    won = np.stack([_won(scores, *pair) for pair in names], axis=1) * counted
    shares = won.sum(axis=0) / counted.sum(axis=0)
    pairs = tuple(
        PairShare(systems[a], systems[b], total[0], total[1], sides[0], sides[1], balanced=sum(sides) / 2)
        for (a, b), total, sides in zip(names, counted.sum(axis=0).tolist(), shares.tolist(), strict=True)
    )
    return BalancedPairs(interval_of(lambda weights: _mean(won, counted, weights), len(scores), draws), pairs)


def _decided(rights: Array, first: int, second: int) -> Array:
    """[problems, 2] of bool: whether the first alone is right, whether the second alone is."""
    a, b = rights[:, first], rights[:, second]
    return np.stack([a & ~b, b & ~a], axis=1)


def _won(scores: Array, first: int, second: int) -> Array:
    """[problems, 2]: 1 where the first scores higher, a half where both score the same; and the same of the second."""
    a, b = scores[:, first], scores[:, second]
    higher = (a > b) + (a == b) / 2
    return np.stack([higher, 1 - higher], axis=1)


def _mean(won: Array, counted: Array, weights: Array) -> Array:
    """[draws]; not a number for a draw in which a pair has no problem of one side."""
    num = len(won)
    tops, totals = weights @ won.reshape(num, -1), weights @ counted.reshape(num, -1)
    shares = np.divide(tops, totals, out=np.full(tops.shape, np.nan), where=totals > 0)
    mean: Array = shares.mean(axis=1)
    return mean

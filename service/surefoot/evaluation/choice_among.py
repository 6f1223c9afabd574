"""How often the solution chosen among those of several systems is right, and by how much ways of choosing differ.

Every way is the chance of a right choice, problem by problem: ties are not drawn, their chance is taken as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Groups = Sequence[Sequence[int | None]]
"""For each problem the class of equivalent answers of each solution, `None` without an answer."""


def by_score(scores: Array, rights: Array) -> Array:
    """[problems]: the share of right ones among those with the highest score. Both are [problems, solutions]."""
    top = scores == scores.max(axis=1, keepdims=True)
    share: Array = (top & rights).sum(axis=1) / top.sum(axis=1)
    return share


def by_vote(groups: Groups, rights: Array, weights: Array | None = None) -> Array:
    """[problems]: the heaviest class of answers, by number or by the sum of `weights` [problems, solutions].

    Of equally heavy classes each counts the same. 0 where nobody has an answer. A class is as right as the mean of its
    solutions, which are all right or all wrong unless they were judged otherwise than by their answers.
    """
    votes = np.ones(rights.shape) if weights is None else weights
    return np.array([_voted(*each) for each in zip(groups, rights, votes, strict=True)])


def at_random(rights: Array) -> Array:
    """[problems]: the share of right ones."""
    share: Array = rights.mean(axis=1)
    return share


def oracle(rights: Array) -> Array:
    """[problems]: 1 where any is right."""
    return rights.any(axis=1).astype(float)


def strongest(rights: Array) -> int:
    """The index of the solver with most right solutions, of equal ones the first."""
    return int(rights.sum(axis=0).argmax())


def _voted(groups: Sequence[int | None], rights: Array, weights: Array) -> float:
    classes: dict[int, list[int]] = {}
    for index, group in enumerate(groups):
        if group is not None:
            classes.setdefault(group, []).append(index)
    if not classes:
        return 0.0
    weight: Mapping[int, float] = {
        group: math.fsum(weights[index] for index in members) for group, members in classes.items()
    }
    heaviest = max(weight.values())
    return float(np.mean([rights[members].mean() for group, members in classes.items() if weight[group] == heaviest]))

"""What is done to the rewards of one request before they train a policy: caps, and scaling within groups or over all.

Scaled rewards have mean 0 and standard deviation 1 (of the population): within each group as GRPO's advantages do
(*DeepSeekMath*, arXiv 2402.03300), or over the request, which is called whitening.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

Scaling = Literal["none", "group", "batch"]

SMALLEST_STD = 1e-6
"""Below it rewards count as equal: scaled, their rounding would look like a signal."""


@dataclass(frozen=True, slots=True)
class TreatedRewards:
    """`rewards[i]` belongs to the i-th score, and is `None` where that is.

    `num_capped` scores were outside the cap. `mean` and `std` are those after capping and before scaling.
    `num_flat_groups` are groups whose rewards are all equal (all of them at once for `batch`): theirs became 0.
    """

    rewards: tuple[float | None, ...]
    num_capped: int
    mean: float
    std: float
    num_flat_groups: int


def treat(
    scores: Sequence[float | None], groups: Sequence[Hashable], cap: tuple[float, float] | None, scaling: Scaling
) -> TreatedRewards:
    """Cap scores to the range `cap`, then scale them; `groups[i]` names the group of the i-th score.

    A missing score, `None`, stays missing and counts nowhere. Without any score `mean` and `std` are 0.
    """
    members: dict[Hashable, list[int]] = {}
    capped: dict[int, float] = {}
    for place, (score, group) in enumerate(zip(scores, groups, strict=True)):
        if score is not None:
            members.setdefault(group if scaling == "group" else None, []).append(place)
            capped[place] = score if cap is None else min(max(score, cap[0]), cap[1])
    num_capped = sum(capped[place] != scores[place] for place in capped)
    mean, std = _moments(list(capped.values()))
    rewards, num_flat = dict(capped), 0
    if scaling != "none":
        for places in members.values():
            num_flat += _scale(rewards, places)
    return TreatedRewards(tuple(map(rewards.get, range(len(scores)))), num_capped, mean, std, num_flat)


def _scale(rewards: dict[int, float], places: Sequence[int]) -> bool:
    """Scale the rewards of one group; whether they were all equal."""
    mean, std = _moments([rewards[place] for place in places])
    is_flat = std < SMALLEST_STD
    for place in places:
        rewards[place] = 0.0 if is_flat else (rewards[place] - mean) / std
    return is_flat


def _moments(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 0.0, 0.0
    mean = fmean(values)
    return mean, math.sqrt(fmean([(value - mean) ** 2 for value in values]))

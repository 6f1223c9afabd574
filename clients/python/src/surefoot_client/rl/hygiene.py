"""What is done to rewards before training, said in the result, and signs that a reward is being gamed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scaling = Literal["none", "group", "batch"]

SMALLEST_STD = 1e-6
"""Below it rewards count as equal: scaled, their rounding would look like a signal."""


@dataclass(frozen=True, slots=True, eq=False)
class TreatedRewards:
    """`rewards`, float64 [num_rewards], and what was done to get them.

    `num_capped` were outside `cap`. `mean` and `std` are those of the batch after capping and before scaling.
    `num_flat_groups` are groups (the batch, for `batch`) whose rewards are all equal, up to a standard deviation of
    1e-6: theirs became 0.
    """

    rewards: NDArray[np.float64]
    cap: tuple[float, float] | None
    num_capped: int
    scaling: Scaling
    mean: float
    std: float
    num_flat_groups: int


def treat_rewards(
    rewards: ArrayLike,
    *,
    cap: tuple[float, float] | None = None,
    scaling: Scaling = "none",
    groups: ArrayLike | None = None,
) -> TreatedRewards:
    """Cap rewards to the range `cap`, then scale them to mean 0 and standard deviation 1.

    `scaling="group"` does so within each group, as GRPO does; `groups` names each reward's, [num_rewards].
    `scaling="batch"` does so over all (whitening). Raises `ValueError` for rewards that are not finite: leave out
    failed items before.
    """
    given = _finite(rewards)
    if scaling not in ("none", "group", "batch"):
        raise ValueError("scaling must be one of none, group, batch")
    if (groups is None) == (scaling == "group"):
        raise ValueError("groups belongs to scaling='group', which needs it")
    if cap is not None and not cap[0] < cap[1]:
        raise ValueError("cap must be (lowest, highest)")
    capped = given if cap is None else np.clip(given, *cap)
    of_reward = np.zeros(len(given), dtype=np.int64)
    if groups is not None:
        names = np.asarray(groups)
        if names.shape != given.shape:
            raise ValueError("groups must name one group for each reward")
        of_reward = np.unique(names, return_inverse=True)[1]
    scaled, num_flat = (capped, 0) if scaling == "none" else _scaled(capped, of_reward)
    num_capped = int((capped != given).sum())
    mean, std = (float(capped.mean()), float(capped.std())) if len(capped) else (0.0, 0.0)
    return TreatedRewards(scaled, cap, num_capped, scaling, mean, std, num_flat)


@dataclass(frozen=True, slots=True)
class LengthBias:
    """How rewards go with lengths: Pearson's `correlation`, in [-1, 1], and the slope of the least-squares line.

    Both are `None` where all lengths or all rewards are equal, which says nothing.
    """

    num_rewards: int
    correlation: float | None
    per_1000_tokens: float | None


def length_bias(rewards: ArrayLike, num_tokens: ArrayLike) -> LengthBias:
    """Whether longer completions earn more; `num_tokens`, [num_rewards], are their lengths."""
    given, lengths = _finite(rewards), _finite(num_tokens)
    if given.shape != lengths.shape:
        raise ValueError("num_tokens must be one length for each reward")
    if len(given) < 2 or not np.ptp(given) or not np.ptp(lengths):
        return LengthBias(len(given), None, None)
    covariance = float(((given - given.mean()) * (lengths - lengths.mean())).mean())
    correlation = covariance / float(given.std() * lengths.std())
    return LengthBias(len(given), max(-1.0, min(1.0, correlation)), 1000 * covariance / float(lengths.var()))


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise ValueError("rewards and lengths must be lists of finite numbers; leave out failed items")
    return numbers


def _scaled(rewards: NDArray[np.float64], of_reward: NDArray[np.int64]) -> tuple[NDArray[np.float64], int]:
    """Each group with mean 0 and standard deviation 1, or 0 where its rewards are equal; and how many those are."""
    scaled, num_flat = np.zeros_like(rewards), 0
    for group in range(int(of_reward.max(initial=-1)) + 1):
        members = of_reward == group
        own = rewards[members]
        if (std := own.std()) >= SMALLEST_STD:
            scaled[members] = (own - own.mean()) / std
        else:
            num_flat += 1
    return scaled, num_flat

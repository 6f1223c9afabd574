"""A guard that notices a batch whose rewards are distributed as none before: reward hacking, or a broken reward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Statistic = Literal["mean", "spread", "low", "high"]

STATISTICS: Mapping[Statistic, Callable[[NDArray[np.float64]], float]] = MappingProxyType(
    {
        "mean": lambda rewards: float(rewards.mean()),
        "spread": lambda rewards: float(rewards.std()),
        "low": lambda rewards: float(np.quantile(rewards, 0.05)),
        "high": lambda rewards: float(np.quantile(rewards, 0.95)),
    }
)
"""What is watched of each batch: mean, standard deviation, and the 5 % and 95 % quantiles."""


@dataclass(frozen=True, slots=True)
class OutOfRange:
    """A statistic of a batch that left the range `seen` so far, margin included."""

    statistic: Statistic
    value: float
    seen: tuple[float, float]


@dataclass(slots=True)
class RangeGuard:
    """Learns the range of each statistic from `warm_up` batches, then flags what leaves it by more than `margin`.

    `margin` is a share of the range's width. A batch that was flagged does not widen the range, so that a drift keeps
    being flagged; `accept` takes it in. Batches should be of about the same size: small ones scatter more.
    """

    warm_up: int = 20
    margin: float = 0.5
    _seen: dict[Statistic, tuple[float, float]] = field(default_factory=dict)
    _num_batches: int = 0

    def __post_init__(self) -> None:
        if self.warm_up < 2 or not self.margin >= 0:
            raise ValueError("warm_up must be 2 or more, margin 0 or more")

    def check(self, rewards: ArrayLike) -> tuple[OutOfRange, ...]:
        """What of this batch, [num_rewards], is out of range; nothing during the warm-up."""
        values = _values(rewards)
        if self._num_batches < self.warm_up:
            self._take_in(values)
            return ()
        found = tuple(
            OutOfRange(name, value, allowed)
            for name, value in values.items()
            if not (allowed := self._allowed(name))[0] <= value <= allowed[1]
        )
        if not found:
            self._take_in(values)
        return found

    def accept(self, rewards: ArrayLike) -> None:
        """Widen the range to this batch: what was flagged is as it should be."""
        self._take_in(_values(rewards))

    def _allowed(self, name: Statistic) -> tuple[float, float]:
        low, high = self._seen[name]
        slack = self.margin * (high - low)
        return low - slack, high + slack

    def _take_in(self, values: Mapping[Statistic, float]) -> None:
        self._num_batches += 1
        for name, value in values.items():
            low, high = self._seen.get(name, (value, value))
            self._seen[name] = (min(low, value), max(high, value))


def _values(rewards: ArrayLike) -> dict[Statistic, float]:
    numbers = np.asarray(rewards, dtype=np.float64)
    if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all():
        raise ValueError("rewards must be a list of finite numbers, one or more; leave out failed items")
    return {name: statistic(numbers) for name, statistic in STATISTICS.items()}

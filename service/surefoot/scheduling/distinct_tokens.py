"""What inputs cost together where each distinct prefix is computed once. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from surefoot.forest import shared_prefix


class DistinctTokens:
    """Counts the tokens of inputs as they come, those of a beginning that one before has as well left out."""

    def __init__(self) -> None:
        self._sorted: list[tuple[int, ...]] = []
        self.total = 0

    def cost_of(self, tokens: tuple[int, ...]) -> int:
        """How many tokens one more input would add."""
        # In lexical order, whoever shares most with an input stands beside it.
        place = bisect_left(self._sorted, tokens)
        beside = self._sorted[max(place - 1, 0) : place + 1]
        return len(tokens) - max((shared_prefix(tokens, other) for other in beside), default=0)

    def add(self, tokens: tuple[int, ...]) -> None:
        self.total += self.cost_of(tokens)
        self._sorted.insert(bisect_left(self._sorted, tokens), tokens)


def distinct_costs(inputs: Sequence[tuple[int, ...]]) -> list[int]:
    """What each adds to those before it."""
    counted = DistinctTokens()
    costs = []
    for tokens in inputs:
        before = counted.total
        counted.add(tokens)
        costs.append(counted.total - before)
    return costs

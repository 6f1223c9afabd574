"""Whose turn it is: a caller who brings much waits behind its own work, not the others behind it. Pure policy.

Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996) without weights: an input's turn is where its caller's
work before it ends, or the turn that is served now, whichever is later; the lowest turn is served next. Callers who
always have work waiting get equal shares, and one who has been idle saves up nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence


class FairTurns:
    """Turns are counted in tokens; `flow` names whose work is in one line."""

    def __init__(self) -> None:
        self._served = 0.0
        self._ends: dict[Hashable, float] = {}

    def take(self, flow: Hashable, costs: Sequence[int]) -> Iterator[float]:
        """The turns of inputs of these costs, in tokens, that arrive now."""
        turn = max(self._served, self._ends.get(flow, 0.0))
        for cost in costs:
            yield turn
            turn += cost
        self._ends[flow] = turn

    def begin(self, turn: float) -> None:
        """An input of this turn is served. Forgets who has no work before it."""
        self._served = max(self._served, turn)
        self._ends = {flow: end for flow, end in self._ends.items() if end > self._served}

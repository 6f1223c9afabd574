"""Whose turn it is: a caller who brings much waits behind its own work, not the others behind it. Pure policy.

Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996) without weights: an input's turn is where its caller's
work before it ends; the lowest turn is served next. Who comes without work waiting begins at the time of those who are
served, which goes on by what is served over the number of those who share it, as in weighted fair queueing (Parekh and
Gallager, 1993): by the turns alone it would stand still for as long as new callers come. So callers who always have
work waiting get equal shares, one who has been idle saves up nothing, and what is withdrawn costs nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

Work = tuple[Hashable, int]
"""Whose work it is, and what it costs in tokens."""


class FairTurns:
    """Turns are counted in tokens."""

    def __init__(self) -> None:
        self._now = 0.0
        self._ends: dict[Hashable, float] = {}
        """Where the work of each ends that was served."""

    def arrive(self, flow: Hashable) -> None:
        """Work comes of one who has none waiting."""
        self._ends[flow] = max(self._now, self._ends.get(flow, 0.0))

    def turns(self, waiting: Sequence[Work]) -> list[float]:
        """The turns of what waits, in the order in which it came."""
        ends = dict(self._ends)
        found = []
        for flow, cost in waiting:
            found.append(ends[flow])
            ends[flow] += cost
        return found

    def serve(self, served: Sequence[Work], others: Collection[Hashable]) -> None:
        """What is served next, of each flow the first; `others` are the flows of what waits on. Forgets who has no
        work before it."""
        begun = self.turns(served)
        for flow, cost in served:
            self._ends[flow] += cost
        total = sum(cost for _, cost in served)
        sharing = {flow for flow, _ in served}.union(others)
        self._now = max([self._now + total / max(len(sharing), 1), *begun])
        # With nobody waiting there is nobody to be fair to.
        self._ends = {flow: end for flow, end in self._ends.items() if others and (end > self._now or flow in others)}

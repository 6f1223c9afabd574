"""A judge that is asked the same questions again, as when votes are counted after every new candidate."""

from __future__ import annotations

from surefoot.answers.equivalence import EquivalenceJudge


class RememberingJudge:
    """An `EquivalenceJudge` that puts each pair to another one once. For one request: it forgets nothing."""

    def __init__(self, judge: EquivalenceJudge) -> None:
        self._judge = judge
        self._known: dict[tuple[str, str], bool] = {}

    def equivalent(self, first: str, second: str) -> bool:
        pair = (min(first, second), max(first, second))
        if pair not in self._known:
            self._known[pair] = self._judge.equivalent(*pair)
        return self._known[pair]

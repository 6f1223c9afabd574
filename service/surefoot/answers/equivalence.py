"""Grouping of equivalent answers: exact keys first, a judge for what is left, within fixed bounds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from surefoot.answers.canonical import canonical_key, is_number_key


class EquivalenceJudge(Protocol):
    """Decides whether two answers that are written differently mean the same."""

    def equivalent(self, first: str, second: str) -> bool:
        """Symmetric and bounded in time; what cannot be decided is not equivalent."""
        ...


def group_answers(
    answers: Sequence[str | None],
    judge: EquivalenceJudge,
    *,
    max_pairs: int = 256,
    time_budget_s: float = 5.0,
    max_judged_chars: int = 200,
    clock: Callable[[], float] = time.monotonic,
) -> list[int | None]:
    """The number of each answer's class of equivalent answers, by first appearance; no answer stays `None`.

    Equal keys share a class. Two different plain numbers never do, not even by way of a third answer. The other
    pairs of keys are put to the judge, frequent answers first, at most `max_pairs` of them and as long as
    `time_budget_s` seconds have not passed; answers longer than `max_judged_chars` and pairs beyond the bounds count
    as different. Apart from the time budget the classes do not depend on the order of the answers.
    """
    keys = [None if answer is None else canonical_key(answer) for answer in answers]
    spellings = _spellings(answers, keys)
    judged = [key for key in _by_frequency(keys) if len(spellings[key]) <= max_judged_chars]
    classes = _Classes(list(spellings))
    deadline_s = clock() + time_budget_s
    num_asked = 0
    for first, second in _pairs(judged):
        if not classes.may_join(first, second):
            continue
        if num_asked >= max_pairs or clock() >= deadline_s:
            break
        num_asked += 1
        if judge.equivalent(*sorted((spellings[first], spellings[second]))):
            classes.join(first, second)
    return _numbered([None if key is None else classes.root(key) for key in keys])


def _spellings(answers: Sequence[str | None], keys: Sequence[str | None]) -> dict[str, str]:
    """For each key the answer that stands for it: the shortest, whatever the order of the candidates."""
    spellings: dict[str, str] = {}
    for answer, key in zip(answers, keys, strict=True):
        if answer is not None and key is not None:
            spellings[key] = min(answer, spellings.get(key, answer), key=lambda text: (len(text), text))
    return spellings


def _by_frequency(keys: Sequence[str | None]) -> list[str]:
    counts = Counter(key for key in keys if key is not None)
    return sorted(counts, key=lambda key: (-counts[key], len(key), key))


def _pairs(keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """All pairs but those of two numbers; the pairs among the first keys come before any with a later key."""
    earlier: list[str] = []
    earlier_texts: list[str] = []
    for second in keys:
        is_number = is_number_key(second)
        for first in earlier_texts if is_number else earlier:
            yield first, second
        earlier.append(second)
        if not is_number:
            earlier_texts.append(second)


class _Classes:
    """Disjoint sets of keys, each holding at most one plain number."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._parent = {key: key for key in keys}
        self._number = {key: key if is_number_key(key) else None for key in keys}

    def root(self, key: str) -> str:
        while self._parent[key] != key:
            self._parent[key] = self._parent[self._parent[key]]
            key = self._parent[key]
        return key

    def may_join(self, first: str, second: str) -> bool:
        first, second = self.root(first), self.root(second)
        return first != second and (self._number[first] is None or self._number[second] is None)

    def join(self, first: str, second: str) -> None:
        first, second = self.root(first), self.root(second)
        self._parent[second] = first
        self._number[first] = self._number[first] or self._number[second]


def _numbered(roots: Sequence[str | None]) -> list[int | None]:
    numbers: dict[str, int] = {}
    return [None if root is None else numbers.setdefault(root, len(numbers)) for root in roots]

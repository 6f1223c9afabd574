"""Which problems are the same, or nearly: numbers are masked, so that a test problem with other numbers is caught.

Two problems are near copies when their masked words are equal, when they share a run of 13 words, or when their sets
of runs of 5 words have a Jaccard index of `NEAR` at least.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Literal

Overlap = Literal["exact", "near"]

NEAR = 0.4
"""Share of common 5-grams among all of both; lower drops more that only looks alike."""

_LONG, _SHORT = 13, 5
_NUMBER = re.compile(r"[0-9][0-9.,:/]*")
_WORD = re.compile(r"[^\W_]+")


def masked_words(text: str) -> tuple[str, ...]:
    """Lower-case words without punctuation; every number written in digits is `0`."""
    return tuple(_WORD.findall(_NUMBER.sub(" 0 ", text.lower().replace("'", "").replace("’", ""))))


class ProblemIndex:
    """Problems to compare others with; a comparison costs time in the length of the one problem alone."""

    def __init__(self, problems: Iterable[str]) -> None:
        self._exact: set[tuple[str, ...]] = set()
        self._long: set[tuple[str, ...]] = set()
        self._holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        self._sizes: list[int] = []
        for problem in problems:
            self._add(masked_words(problem))

    def overlap(self, problem: str) -> Overlap | None:
        """Whether the index has this problem or a near copy of it."""
        words = masked_words(problem)
        if words in self._exact:
            return "exact"
        if any(gram in self._long for gram in _grams(words, _LONG)):
            return "near"
        grams = set(_grams(words, _SHORT))
        common = Counter(holder for gram in grams for holder in self._holders.get(gram, ()))
        return (
            "near"
            if any(self._jaccard(len(grams), number, count) >= NEAR for number, count in common.items())
            else None
        )

    def _jaccard(self, size: int, holder: int, common: int) -> float:
        return common / (size + self._sizes[holder] - common)

    def _add(self, words: tuple[str, ...]) -> None:
        if words in self._exact:
            return
        self._exact.add(words)
        self._long.update(_grams(words, _LONG))
        grams = set(_grams(words, _SHORT))
        for gram in grams:
            self._holders[gram].append(len(self._sizes))
        self._sizes.append(len(grams))


def _grams(words: tuple[str, ...], size: int) -> list[tuple[str, ...]]:
    """Runs of `size` words; a shorter text has none."""
    return [words[start : start + size] for start in range(len(words) - size + 1)]

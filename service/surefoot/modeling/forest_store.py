"""Where the tokens of a forest lie in a pass: those that are known from before in front, those it computes behind."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import torch

from surefoot.forest import Forest, Segment
from surefoot.modeling.flex_forest import ForestMask
from surefoot.modeling.forest_layout import Branch
from surefoot.modeling.prefix_cache import PrefixCache


class ForestStore:
    """The places of a forest's tokens, of which the first ones of each segment may be known.

    A token's place is its position in the store; the tokens that a pass computes are those from `num_known` on, in the
    order of the forest.
    """

    def __init__(self, forest: Forest, num_known: Sequence[int] = ()) -> None:
        self.forest = forest
        self._known = list(num_known) or [0] * len(forest.segments)
        self.num_known = sum(self._known)
        self._starts: list[tuple[int, int]] = []
        """Of each segment, the places of its first known and of its first computed token."""
        self._flat_starts = [segment.start for segment in forest.segments]
        known, computed = 0, self.num_known
        for segment, count in zip(forest.segments, self._known, strict=True):
            self._starts.append((known, computed))
            known += count
            computed += segment.end - segment.start - count

    def places(self, sequence: int, positions: Sequence[int]) -> list[int]:
        """Where tokens of a sequence lie, which are given by their places in it."""
        found = []
        for flat in self.forest.flat_positions(sequence, positions):
            number = bisect_right(self._flat_starts, flat) - 1
            offset, known = flat - self._flat_starts[number], self._known[number]
            first, second = self._starts[number]
            found.append(first + offset if offset < known else second + offset - known)
        return found

    def num_known_of(self, sequence: int, length: int) -> int:
        """How many of a sequence's tokens are known, which are its first ones."""
        return bisect_left(range(length), self.num_known, key=lambda position: self.places(sequence, [position])[0])

    def token_ids(self) -> list[int]:
        """Of the tokens to compute."""
        parts = ((segment.start + known, segment.end) for segment, known, _ in self.computed_parts())
        return [token for start, end in parts for token in self.forest.token_ids(start, end)]

    def depths(self) -> torch.Tensor:
        """Of the tokens to compute, how many come before each in its sequences."""
        parts = [
            torch.arange(segment.depth + known, segment.depth + segment.end - segment.start)
            for segment, known, _ in self.computed_parts()
        ]
        return torch.cat(parts)

    def branches(self) -> list[Branch]:
        """What attention computes, and what that sees."""
        found = []
        for place, (segment, known, start) in enumerate(self.computed_parts()):
            end = start + segment.end - segment.start - known
            if end > start:
                tail = self.forest.tail_start(segment)
                found.append(Branch((start, end), tuple(self._ranges(place)), segment.depth + known, tail))
        return found

    def mask(self) -> ForestMask:
        """The same for all tokens at once."""
        known = [(segment, 0, count) for segment, count in zip(self.forest.segments, self._known, strict=True)]
        computed = [
            (segment, count, segment.end - segment.start)
            for segment, count in zip(self.forest.segments, self._known, strict=True)
        ]
        parts = [(segment, first, last) for segment, first, last in (*known, *computed) if last > first]
        return ForestMask(
            torch.cat([torch.arange(segment.start + first, segment.start + last) for segment, first, last in parts]),
            torch.cat([torch.full((last - first,), segment.subtree_end) for segment, first, last in parts]),
            torch.cat([torch.arange(segment.depth + first, segment.depth + last) for segment, first, last in parts]),
            sum(last - first for _, first, last in computed),
        )

    def computed_parts(self) -> Iterator[tuple[Segment, int, int]]:
        """Each segment, how many of its tokens are known, and where the rest begins among those to compute."""
        for segment, known, (_, start) in zip(self.forest.segments, self._known, self._starts, strict=True):
            yield segment, known, start - self.num_known

    def _ranges(self, place: int | None) -> list[tuple[int, int]]:
        """The places of a segment's tokens and of all before them, neighbouring ones joined."""
        line: list[int] = []
        while place is not None:
            line.append(place)
            place = self.forest.segments[place].parent
        ranges: list[tuple[int, int]] = []
        for each in reversed(line):
            segment, known, (first, second) = self.forest.segments[each], self._known[each], self._starts[each]
            for start, length in ((first, known), (second, segment.end - segment.start - known)):
                if length and ranges and ranges[-1][1] == start:
                    ranges[-1] = (ranges[-1][0], start + length)
                elif length:
                    ranges.append((start, start + length))
        return ranges


def known_slots(prefixes: PrefixCache, adapter: str | None, forest: Forest) -> tuple[list[int], list[int]]:
    """How many tokens of each segment are known, and their slots in that order."""
    counts: list[int] = []
    slots: list[int] = []
    for segment in forest.segments:
        own = prefixes.known(adapter, forest.path(segment))[segment.depth :]
        counts.append(len(own))
        slots.extend(own)
    return counts, slots


def kept_slots(prefixes: PrefixCache, adapter: str | None, store: ForestStore) -> list[tuple[int, int]]:
    """Of the tokens that a pass computes those that are kept, each with its slot; in the order of the forest, so that
    what comes before is kept first."""
    kept: list[tuple[int, int]] = []
    for segment, known, start in store.computed_parts():
        slots = prefixes.keep(adapter, store.forest.path(segment), start=segment.depth + known)
        kept.extend(enumerate(slots, start))
    return kept

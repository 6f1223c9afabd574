"""Shared prefixes of token sequences, planned without touching a model.

Sequences are merged into a forest: a segment is a run of tokens that no sequence leaves or joins halfway, its children
are the ways in which sequences go on from it. Laid out in depth-first order, all that shares a prefix lies behind it
in one piece, so that a token is seen by exactly the flat positions from its own to the end of its segment's subtree.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

_ID_BITS = 32
_ID = (1 << _ID_BITS) - 1


@dataclass(frozen=True, slots=True)
class Segment:
    """Flat positions `start` to `end`, which `depth` tokens of the same sequences come before.

    `parent` is the index of the segment that it goes on from; `subtree_end` is the end of all that goes on from it.
    """

    start: int
    end: int
    depth: int
    parent: int | None
    subtree_end: int


@dataclass(frozen=True, slots=True)
class Forest:
    """Each distinct prefix of some sequences once. `segments` are in the order of their tokens.

    `keys` are the tokens with what tells them apart: the id, and of a token that is its sequence's own what names that
    sequence (see `grow_forest`).
    """

    keys: tuple[int, ...]
    block: int
    segments: tuple[Segment, ...]
    runs: tuple[tuple[tuple[int, int], ...], ...]
    """Of each sequence (depth, flat position) where a new run of neighbouring positions begins."""

    def token_ids(self, start: int, end: int) -> list[int]:
        """The ids at a range of flat positions."""
        return [key & _ID for key in self.keys[start:end]]

    def tail_start(self, segment: Segment) -> int | None:
        """The depth from which on the tokens at a segment's end are their sequence's own; `None` where they are not."""
        length = self.keys[segment.end - 1] >> _ID_BITS & _ID
        return length // self.block * self.block if length else None

    def flat_positions(self, sequence: int, positions: Sequence[int]) -> list[int]:
        """Where tokens of one of the sequences lie, which are given by their places in it."""
        runs = self.runs[sequence]
        depths = [depth for depth, _ in runs]
        found = []
        for position in positions:
            depth, flat = runs[bisect_right(depths, position) - 1]
            found.append(flat + position - depth)
        return found

    def path(self, segment: Segment) -> tuple[int, ...]:
        """The keys from the root to a segment's end."""
        ranges = [*self.ancestry(segment), (segment.start, segment.end)]
        return tuple(key for start, end in ranges for key in self.keys[start:end])

    def ancestry(self, segment: Segment) -> list[tuple[int, int]]:
        """Flat ranges of all tokens before a segment's own, from the root on; neighbouring ranges are joined."""
        ranges: list[tuple[int, int]] = []
        while segment.parent is not None:
            segment = self.segments[segment.parent]
            if ranges and ranges[-1][0] == segment.end:
                ranges[-1] = (segment.start, ranges[-1][1])
            else:
                ranges.append((segment.start, segment.end))
        return ranges[::-1]


def grow_forest(sequences: Sequence[Sequence[int]], *, block: int = 1) -> Forest:
    """The forest of `sequences`, whose order it keeps in `runs` only.

    The tokens behind the last whole `block` of a sequence are its own, and shared with the very same sequence only:
    for kernels that compute them in another way than those of whole blocks.

    In sorted order each sequence shares its longest known prefix with the one before it, so one pass is enough.
    """
    keys: list[int] = []
    runs: list[tuple[tuple[int, int], ...]] = [()] * len(sequences)
    growth = _Growth()
    before: tuple[int, ...] = ()
    trail: list[tuple[int, int]] = []
    for sequence, place in sorted((_keyed(sequence, block), place) for place, sequence in enumerate(sequences)):
        shared = shared_prefix(before, sequence)
        if shared < len(sequence):
            growth.branch(shared, len(keys), len(sequence) - shared)
            trail = [run for run in trail if run[0] < shared] + [(shared, len(keys))]
            keys.extend(sequence[shared:])
        runs[place], before = tuple(trail), sequence
    return Forest(tuple(keys), block, growth.segments(), tuple(runs))


def _keyed(sequence: Sequence[int], block: int) -> tuple[int, ...]:
    whole = len(sequence) // block * block
    tail = sequence[whole:]
    mark = (crc32(repr(tuple(tail)).encode()) << _ID_BITS | len(sequence)) << _ID_BITS
    return (*sequence[:whole], *(token | mark for token in tail))


def separate_trees(sequences: Sequence[Sequence[int]], *, block: int = 1) -> Forest:
    """Every sequence a tree of its own, in their order, whatever they share."""
    starts = [0]
    for sequence in sequences:
        starts.append(starts[-1] + len(sequence))
    return Forest(
        tuple(key for sequence in sequences for key in _keyed(sequence, block)),
        block,
        tuple(Segment(start, end, 0, None, end) for start, end in pairwise(starts) if end > start),
        tuple(((0, start),) for start in starts[:-1]),
    )


@dataclass(slots=True, eq=False)
class _Growing:
    start: int
    end: int
    depth: int
    parent: _Growing | None
    subtree_end: int = 0


class _Growth:
    """Segments while sequences are added in sorted order; `_path` leads to the one that was added last."""

    def __init__(self) -> None:
        self._all: list[_Growing] = []
        self._path: list[_Growing] = []

    def branch(self, depth: int, start: int, length: int) -> None:
        """Tokens at flat `start` that go on from the first `depth` tokens of the path."""
        while self._path and self._path[-1].depth >= depth:
            self._path.pop().subtree_end = start
        parent = self._path[-1] if self._path else None
        if parent is not None and depth < parent.depth + parent.end - parent.start:
            parent = self._split(parent, depth, start)
        elif parent is not None and parent.end == start:
            # Nothing else goes on from it: the longer sequence merely goes further.
            parent.end += length
            return
        added = _Growing(start, start + length, depth, parent)
        self._all.append(added)
        self._path.append(added)

    def _split(self, segment: _Growing, depth: int, start: int) -> _Growing:
        middle = segment.start + depth - segment.depth
        upper = _Growing(segment.start, middle, segment.depth, segment.parent)
        segment.start, segment.depth, segment.parent, segment.subtree_end = middle, depth, upper, start
        self._all.append(upper)
        self._path[-1] = upper
        return upper

    def segments(self) -> tuple[Segment, ...]:
        ordered = sorted(self._all, key=lambda segment: segment.start)
        places = {id(segment): place for place, segment in enumerate(ordered)}
        total = max((segment.end for segment in ordered), default=0)
        for segment in self._path:
            segment.subtree_end = total
        return tuple(
            Segment(
                each.start,
                each.end,
                each.depth,
                None if each.parent is None else places[id(each.parent)],
                each.subtree_end,
            )
            for each in ordered
        )


def count_unique_tokens(sequences: Sequence[Sequence[int]]) -> int:
    """Nodes of the prefix tree of `sequences`: every distinct prefix counts its last token once."""
    ordered = sorted(tuple(sequence) for sequence in sequences)
    if not ordered:
        return 0
    return len(ordered[0]) + sum(len(after) - shared_prefix(before, after) for before, after in pairwise(ordered))


def shared_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """How many leading tokens two sequences have in common.

    Halving over slices compares at the speed of C: long common prefixes are the usual case here.
    """
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low

"""Shared prefixes of token sequences, planned without touching a model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def count_unique_tokens(sequences: Sequence[Sequence[int]]) -> int:
    """Nodes of the prefix tree of `sequences`: every distinct prefix counts its last token once.

    In sorted order each sequence shares its longest known prefix with the one before it, so one pass is enough.
    """
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

"""Attention of a forest's branches on a CPU, to the same bits whatever else is in the pass.

torch's fused kernel takes queries in blocks, and its result depends on the number of keys: a token has to lie in the
same block of the same chunk in every pass. So chunks begin and end at fixed depths, and are filled up to them; those
that lie at the same depths are one call, which computes each for itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch.nn.functional import pad

from surefoot.modeling.forest_layout import Branch, ForestLayout, joined
from surefoot.modeling.fused_attention import fused_attention

BLOCK, CHUNK = 32, 128
"""Queries that the kernel takes at a time, and those of one call: from 192 on its blocks are larger."""

_KEYS = 16_384
"""Keys that are laid out at a time: some 25 MB of a small model, 135 MB of one of 7B."""


class _Chunk(NamedTuple):
    """Queries from the depth `first` to `last`, and how many keys they are shown from depth 0 on."""

    first: int
    last: int
    num_keys: int


class _Filled(NamedTuple):
    """A branch's states from the depth `start` on, filled up to whole blocks and chunks."""

    start: int
    chunks: Sequence[_Chunk]
    queries: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor


def attend_in_chunks(
    layout: ForestLayout,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    window: int | None,
    scaling: float | None,
) -> list[torch.Tensor]:
    """Of each branch of the layout, in order: [1, heads, tokens of the branch, dim]. What fills up the chunks is seen
    by no token, and dropped."""
    found = []
    for branches in _runs(layout.branches):
        filled = [_filled(branch, query, key, value) for branch in branches]
        outputs: list[dict[_Chunk, torch.Tensor]] = [{} for _ in filled]
        for chunk, numbers in _by_chunk(filled).items():
            some = [filled[number] for number in numbers]
            together = fused_attention(
                torch.cat([each.queries[:, :, chunk.first - each.start : chunk.last - each.start] for each in some]),
                torch.cat([each.keys[:, :, : chunk.num_keys] for each in some]),
                torch.cat([each.values[:, :, : chunk.num_keys] for each in some]),
                layout.mask(chunk.first, chunk.last, chunk.num_keys, window, query),
                scaling,
            )
            for number, output in zip(numbers, together.split(1), strict=True):
                outputs[number][chunk] = output
        for branch, each, parts in zip(branches, filled, outputs, strict=True):
            whole = torch.cat([parts[chunk] for chunk in each.chunks], dim=2)
            found.append(whole[:, :, branch.depth - each.start : branch.last - each.start])
    return found


def _runs(branches: Sequence[Branch]) -> Iterator[list[Branch]]:
    """Neighbouring branches whose keys are few enough to be laid out together."""
    run: list[Branch] = []
    num_keys = 0
    for branch in branches:
        if run and num_keys + branch.last > _KEYS:
            yield run
            run, num_keys = [], 0
        run.append(branch)
        num_keys += branch.last
    if run:
        yield run


def _filled(branch: Branch, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> _Filled:
    start = branch.depth // BLOCK * BLOCK
    # The tokens of a tail are computed as they are, like those of a sequence alone.
    tail = branch.last if branch.tail is None else max(branch.tail, start)
    end = -(-tail // BLOCK) * BLOCK
    chunks = [_Chunk(first, last, -(-last // CHUNK) * CHUNK) for first, last in _between(start, end)]
    if tail < branch.last:
        chunks.append(_Chunk(tail, branch.last, branch.last))
    behind = max(-(-end // CHUNK) * CHUNK - branch.last, 0)
    return _Filled(
        start,
        chunks,
        pad(query[:, :, slice(*branch.queries)], (0, 0, branch.depth - start, max(end - branch.last, 0))),
        pad(joined(key, branch.keys), (0, 0, 0, behind)),
        pad(joined(value, branch.keys), (0, 0, 0, behind)),
    )


def _between(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The depths from `start` to `end` by their chunks."""
    return pairwise([start, *range((start // CHUNK + 1) * CHUNK, end, CHUNK), end] if start < end else [])


def _by_chunk(filled: Sequence[_Filled]) -> dict[_Chunk, list[int]]:
    """Whose chunks lie at the same depths."""
    found: dict[_Chunk, list[int]] = defaultdict(list)
    for number, each in enumerate(filled):
        for chunk in each.chunks:
            found[chunk].append(number)
    return found

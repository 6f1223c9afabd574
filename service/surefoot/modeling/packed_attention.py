"""Attention over a prefix forest laid out end to end: each token sees itself and what its sequences have before it.

One call a branch, at its true length: the keys of what comes before it are put in front of its own; on a CUDA device
one call for all. Nothing is padded. Padding is not only waste: it moves bf16 attention by some hundredths of a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import pad, scaled_dot_product_attention
from transformers import AttentionInterface

from surefoot.modeling.flex_forest import attend_to_forest, fits_flex

if TYPE_CHECKING:
    from torch.nn.attention.flex_attention import BlockMask

    from surefoot.modeling.forest_store import ForestStore

PACKED_ATTENTION = "surefoot_packed"

BLOCK, CHUNK = 32, 128
"""Queries that torch's fused kernel for the CPU takes at a time, and those of one call. A block or a row of keys of
another length is computed in another order, and so to other bits: a token has to lie in the same block of the same
chunk in every pass. From 192 queries on the kernel's blocks are larger."""

# What an attention layer may hand over without changing the result of plain causal attention.
_HARMLESS = {"position_ids", "use_cache", "cache_position", "output_attentions", "output_hidden_states", "is_causal"}


class UnsupportedAttention(Exception):
    """This model's attention needs something that is not computed here."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Tokens of one segment that a pass computes, and what they see.

    `queries` is their range among the tokens of the pass, `keys` are ranges among those of the pass's store from the
    root on, the own ones last; `depth` tokens come before the first. From the depth `tail` on
    they are their sequence's own.
    """

    queries: tuple[int, int]
    keys: tuple[tuple[int, int], ...]
    depth: int
    tail: int | None = None

    @property
    def last(self) -> int:
        """The depth at which its tokens end."""
        return self.depth + self.queries[1] - self.queries[0]


class ForestLayout:
    """A forest as the attention layers of one pass need it; masks are made once and serve every layer.

    The store of a pass holds the keys and values that were `known` before, [layers, 2, key heads, tokens, dim], and
    behind them those that it computes, which it leaves in `computed`, one pair a layer, where they are wanted.
    """

    def __init__(self, store: ForestStore, known: torch.Tensor | None = None, *, keeps_computed: bool = False) -> None:
        self.branches = store.branches()
        self._store = store
        self.computed: list[torch.Tensor] = []
        self._known = known
        self._keeps_computed = keeps_computed
        self._num_layers = 0
        self._masks: dict[tuple[int, int, int, int | None], torch.Tensor] = {}
        self._block_masks: dict[int | None, BlockMask] = {}

    def stored(self, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The keys and values of the next layer, [1, key heads, tokens of the store, dim]."""
        layer = self._num_layers
        self._num_layers += 1
        if self._keeps_computed:
            self.computed.append(torch.stack((key[0], value[0])))
        if self._known is None:
            return key, value
        before = self._known[layer].unsqueeze(1)
        return torch.cat((before[0], key), dim=2), torch.cat((before[1], value), dim=2)

    def mask(self, start: int, end: int, num_keys: int, window: int | None, like: torch.Tensor) -> torch.Tensor:
        """What to add to the scores of the tokens from depth `start` to `end`, [tokens, keys]."""
        key = (start, end, num_keys, window)
        if key not in self._masks:
            distance = torch.arange(start, end)[:, None] - torch.arange(num_keys)
            hidden = (distance < 0) if window is None else (distance < 0) | (distance >= window)
            zeros = torch.zeros(hidden.shape, dtype=like.dtype, device=like.device)
            self._masks[key] = zeros.masked_fill_(hidden.to(like.device), float("-inf"))
        return self._masks[key]

    def block_mask(self, window: int | None, device: torch.device) -> BlockMask:
        """The mask of all branches at once."""
        if window not in self._block_masks:
            self._block_masks[window] = self._store.mask().block_mask(window, device)
        return self._block_masks[window]


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    forest_layout: ForestLayout,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **extras: Any,
) -> tuple[torch.Tensor, None]:
    """`query` is [1, heads, tokens, dim], the result [1, tokens, heads, dim], tokens in the order of the forest.

    Raises `UnsupportedAttention` for soft caps, sinks, biases and such.
    """
    unknown = [name for name, given in extras.items() if given is not None and name not in _HARMLESS]
    if unknown or attention_mask is not None or dropout:
        raise UnsupportedAttention(f"{type(module).__name__} asks for {unknown or 'a mask or dropout'}")
    key, value = forest_layout.stored(key, value)
    if len(forest_layout.branches) > 1 and fits_flex(query):
        mask = forest_layout.block_mask(sliding_window, query.device)
        found = attend_to_forest(query, key, value, mask, scaling)
        if found is not None:
            return found.transpose(1, 2), None
    in_chunks = query.is_cpu and not query.requires_grad
    attend = _attend_in_chunks if in_chunks else _attend_at_once
    outputs = [
        attend(
            forest_layout,
            branch,
            query[:, :, slice(*branch.queries)],
            _joined(key, branch.keys),
            _joined(value, branch.keys),
            sliding_window,
            scaling,
        )
        for branch in forest_layout.branches
    ]
    return torch.cat(outputs, dim=2).transpose(1, 2), None


AttentionInterface.register(PACKED_ATTENTION, packed_attention)


def _joined(states: torch.Tensor, ranges: Sequence[tuple[int, int]]) -> torch.Tensor:
    parts = [states[:, :, start:end] for start, end in ranges]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


def _attend_in_chunks(
    layout: ForestLayout,
    branch: Branch,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    window: int | None,
    scaling: float | None,
) -> torch.Tensor:
    """In whole blocks of whole chunks: what fills them is seen by no token, and dropped. The tail is computed as it is,
    like that of a sequence alone."""
    tail = branch.last if branch.tail is None else max(branch.tail, branch.depth // BLOCK * BLOCK)
    start, end = branch.depth // BLOCK * BLOCK, -(-tail // BLOCK) * BLOCK
    num_keys = max(-(-end // CHUNK) * CHUNK, branch.last)
    query = pad(query, (0, 0, branch.depth - start, max(end - branch.last, 0)))
    key, value = (pad(states, (0, 0, 0, num_keys - branch.last)) for states in (key, value))
    calls = [(first, last, -(-last // CHUNK) * CHUNK) for first, last in _parts(start, end)]
    if tail < branch.last:
        calls.append((tail, branch.last, branch.last))
    found = []
    for first, last, seen in calls:
        queries, mask = query[:, :, first - start : last - start], layout.mask(first, last, seen, window, query)
        found.append(_fused(queries, key[:, :, :seen], value[:, :, :seen], mask, scaling))
    return torch.cat(found, dim=2)[:, :, branch.depth - start : branch.last - start]


def _parts(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The depths from `start` to `end` by their chunks."""
    return pairwise([start, *range((start // CHUNK + 1) * CHUNK, end, CHUNK), end] if start < end else [])


def _attend_at_once(
    layout: ForestLayout,
    branch: Branch,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    window: int | None,
    scaling: float | None,
) -> torch.Tensor:
    if branch.depth or (window is not None and branch.last > window):
        mask = layout.mask(branch.depth, branch.last, branch.last, window, query)
        return _fused(query, key, value, mask, scaling)
    if query.requires_grad and query.is_cpu and query.dtype != torch.float32:
        return _attend_by_products(query, key, value, query.shape[-1] ** -0.5 if scaling is None else scaling)
    return _fused(query, key, value, None, scaling)


def _fused(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, scaling: float | None
) -> torch.Tensor:
    return scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        scale=scaling,
        is_causal=mask is None and query.shape[2] > 1,
        enable_gqa=query.shape[1] != key.shape[1],
    )


def _attend_by_products(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> torch.Tensor:
    """Causal attention as two matrix products around a softmax in fp32, as the fused kernel rounds too.

    On a CPU the gradient of the fused kernel in half precision takes three times as long for texts of some hundred
    tokens. Query heads that share a key head are rows of one product.
    """
    key_heads, length = key.shape[1], query.shape[2]
    rows = query[0].reshape(key_heads, -1, query.shape[-1]).float()
    later = torch.full((length, length), float("-inf")).triu(1).repeat(rows.shape[1] // length, 1)
    scores = torch.baddbmm(later, rows, key[0].float().transpose(1, 2), alpha=scaling)
    return torch.bmm(scores.softmax(-1).to(value.dtype), value[0]).view(query.shape)

"""Attention over a prefix forest laid out end to end: each token sees itself and what its sequences have before it.

On a CPU the branches' chunks that lie at the same depths are one call; where a gradient is wanted, one call a branch;
on a CUDA device one call for all. No sequence is padded to the length of another: that is not only waste, it moves
bf16 attention by some hundredths of a score.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface

from surefoot.modeling.chunked_attention import attend_in_chunks
from surefoot.modeling.flex_forest import attend_to_forest, fits_flex
from surefoot.modeling.forest_layout import Branch, ForestLayout, joined
from surefoot.modeling.fused_attention import fused_attention

PACKED_ATTENTION = "surefoot_packed"

# What an attention layer may hand over without changing the result of plain causal attention.
_HARMLESS = {"position_ids", "use_cache", "cache_position", "output_attentions", "output_hidden_states", "is_causal"}


class UnsupportedAttention(Exception):
    """This model's attention needs something that is not computed here."""


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
    if query.is_cpu and not query.requires_grad:
        outputs = attend_in_chunks(forest_layout, query, key, value, sliding_window, scaling)
    else:
        outputs = [
            _attend_at_once(
                forest_layout,
                branch,
                query[:, :, slice(*branch.queries)],
                joined(key, branch.keys),
                joined(value, branch.keys),
                sliding_window,
                scaling,
            )
            for branch in forest_layout.branches
        ]
    return torch.cat(outputs, dim=2).transpose(1, 2), None


AttentionInterface.register(PACKED_ATTENTION, packed_attention)


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
        return fused_attention(query, key, value, mask, scaling)
    if query.requires_grad and query.is_cpu and query.dtype != torch.float32:
        return _attend_by_products(query, key, value, query.shape[-1] ** -0.5 if scaling is None else scaling)
    return fused_attention(query, key, value, None, scaling)


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

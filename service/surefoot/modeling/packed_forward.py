"""One forward pass over many sequences without padding.

The sequences lie end to end in one row: linear layers and norms see every token once, position ids restart with
each sequence, and attention is computed per sequence at its true length. Padding is not only waste: it moves bf16
attention by some hundredths of a score, so a padded batch would not equal the sequences alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

PACKED_ATTENTION = "surefoot_packed"

# What an attention layer may hand over without changing the result of plain causal attention.
_HARMLESS = {"position_ids", "use_cache", "cache_position", "output_attentions", "output_hidden_states", "is_causal"}


class UnsupportedAttention(Exception):
    """This model's attention needs something that the packed path does not compute."""


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packed_lengths: Sequence[int],
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **extras: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each sequence; `query` is [1, heads, tokens, dim], the result [1, tokens, heads, dim].

    `packed_lengths` sum to the number of tokens. Raises `UnsupportedAttention` for soft caps, sinks, biases and such.
    """
    unknown = [name for name, given in extras.items() if given is not None and name not in _HARMLESS]
    if unknown or attention_mask is not None or dropout:
        raise UnsupportedAttention(f"{type(module).__name__} asks for {unknown or 'a mask or dropout'}")
    outputs = [
        _attend(*parts, scaling=scaling, sliding_window=sliding_window)
        for parts in zip(*(tensor.split(list(packed_lengths), dim=2) for tensor in (query, key, value)), strict=True)
    ]
    return torch.cat(outputs, dim=2).transpose(1, 2), None


def _attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, scaling: float | None, sliding_window: int | None
) -> torch.Tensor:
    length = query.shape[2]
    mask = None
    if sliding_window is not None and length > sliding_window:
        distance = torch.arange(length, device=query.device)
        distance = distance[:, None] - distance[None, :]
        mask = (distance >= 0) & (distance < sliding_window)
    if mask is None and query.requires_grad and query.is_cpu and query.dtype != torch.float32:
        return _attend_by_products(query, key, value, query.shape[-1] ** -0.5 if scaling is None else scaling)
    return scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        scale=scaling,
        is_causal=mask is None and length > 1,
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


AttentionInterface.register(PACKED_ATTENTION, packed_attention)


def packed_hidden_states(
    trunk: torch.nn.Module, sequences: Sequence[Sequence[int]], positions: Sequence[Sequence[int]]
) -> torch.Tensor:
    """Last hidden states at the wanted positions of all sequences, [sum of positions, hidden], in order.

    `trunk` is a decoder of transformers whose attention is `PACKED_ATTENTION`.
    """
    device = next(trunk.parameters()).device
    flat = torch.tensor([token for sequence in sequences for token in sequence], device=device)
    return packed_pass(trunk, {"input_ids": flat.unsqueeze(0)}, [len(sequence) for sequence in sequences], positions)


def packed_pass(
    trunk: torch.nn.Module,
    given: dict[str, torch.Tensor],
    lengths: Sequence[int],
    positions: Sequence[Sequence[int]],
) -> torch.Tensor:
    """The last hidden states at `positions` of a pass that is `given` token ids or embeddings, [1, tokens, …]."""
    device = next(trunk.parameters()).device
    depths = torch.cat([torch.arange(length) for length in lengths]).to(device)
    hidden = trunk(
        **given, position_ids=depths.unsqueeze(0), use_cache=False, packed_lengths=list(lengths)
    ).last_hidden_state[0]
    return hidden[_flat_indices(lengths, positions, device)]


def leaks_between_sequences(trunk: torch.nn.Module) -> bool:
    """Whether packed neighbours move a sequence's hidden states, as they do where layers other than attention mix
    tokens (state spaces, convolutions, linear attention), which do not know where a sequence ends."""
    alone = packed_hidden_states(trunk, [[3, 4]], [[0, 1]]).float()
    behind = packed_hidden_states(trunk, [[5, 6, 7], [3, 4]], [[], [0, 1]]).float()
    # Far above what bf16 rounds otherwise in a longer pass, far below what another context does.
    return bool((alone - behind).abs().max() > 0.05 * alone.abs().max())


def rotates_by_longest(config: Any) -> bool:
    """Whether rotary positions depend on the longest sequence of a pass (LongRoPE), so that neighbours would matter."""
    given = getattr(config, "rope_parameters", None) or {}
    per_layer_type = [part for part in given.values() if isinstance(part, dict)]
    return any(part.get("rope_type") == "longrope" for part in per_layer_type or [given])


def plain_hidden_states(
    trunk: torch.nn.Module, sequences: Sequence[Sequence[int]], positions: Sequence[Sequence[int]]
) -> torch.Tensor:
    """The same by one ordinary forward pass per sequence, for models whose attention cannot be packed."""
    device = next(trunk.parameters()).device
    parts = []
    for sequence, wanted in zip(sequences, positions, strict=True):
        hidden = trunk(input_ids=torch.tensor([list(sequence)], device=device), use_cache=False).last_hidden_state[0]
        parts.append(hidden[torch.tensor(list(wanted), dtype=torch.long, device=device)])
    return torch.cat(parts)


def _flat_indices(lengths: Sequence[int], positions: Sequence[Sequence[int]], device: torch.device) -> torch.Tensor:
    indices: list[int] = []
    offset = 0
    for length, wanted in zip(lengths, positions, strict=True):
        indices += [offset + position for position in wanted]
        offset += length
    return torch.tensor(indices, dtype=torch.long, device=device)

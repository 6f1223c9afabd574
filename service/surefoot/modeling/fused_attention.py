"""torch's fused attention, called in one way."""

from __future__ import annotations

import torch
from torch.nn.functional import scaled_dot_product_attention


def fused_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, scaling: float | None
) -> torch.Tensor:
    """Of [batch, heads, tokens, dim]; causal where there is no mask. Key heads may be fewer than query heads."""
    return scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        scale=scaling,
        is_causal=mask is None and query.shape[2] > 1,
        enable_gqa=query.shape[1] != key.shape[1],
    )

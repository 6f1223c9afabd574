"""Attention over a whole prefix forest in one call: FlexAttention with the forest's block mask, for CUDA devices.

In depth-first order a token is seen by exactly the tokens from itself to the end of its segment's subtree, so that two
numbers a token describe every mask that a forest can need, and blocks that nobody sees are never computed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from surefoot.log_lines import TELLS_MESSAGES
from surefoot.modeling.transfer import on_device

log = logging.getLogger(__name__)

SMALLEST_HEAD = 16
"""Of the dimensions of a head, the fewest that the compiled kernel takes."""


@dataclass(frozen=True, slots=True)
class ForestMask:
    """Of each token of a store, in the order of its places: its flat position in the forest, where those end that see
    it, and its depth. The tokens that a pass computes are the last `num_queries`."""

    flat: torch.Tensor
    seen_until: torch.Tensor
    depths: torch.Tensor
    num_queries: int

    def block_mask(self, window: int | None, device: torch.device) -> BlockMask:
        """The mask of the queries over all tokens of the store; with a `window`, over so many before each."""
        flat, seen_until, depths = (on_device(part, device) for part in (self.flat, self.seen_until, self.depths))
        first_query = len(self.flat) - self.num_queries

        def sees(_batch: torch.Tensor, _head: torch.Tensor, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
            asking = flat[query + first_query]
            on_its_way = (flat[key] <= asking) & (asking < seen_until[key])
            if window is None:
                return on_its_way
            return on_its_way & (depths[query + first_query] - depths[key] < window)

        return create_block_mask(sees, None, None, self.num_queries, len(self.flat), device=device)


def attend_to_forest(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: BlockMask, scaling: float | None
) -> torch.Tensor | None:
    """`query` is [1, heads, tokens to compute, dim], `key` and `value` [1, key heads, tokens of the store, dim]; the
    result has the shape of `query`. Compiled once for all shapes, except on a CPU, where it is a check of the mask.
    `None` where the kernel cannot be compiled here, which is logged once."""
    attend = flex_attention if query.is_cpu else _Compiled.kernel()
    if attend is None:
        return None
    grouped = query.shape[1] != key.shape[1]
    try:
        return cast("torch.Tensor", attend(query, key, value, block_mask=mask, scale=scaling, enable_gqa=grouped))
    except torch.OutOfMemoryError:
        raise
    except Exception:
        if query.is_cpu:
            raise
        # No compiler, heads or a driver that it does not take: attention branch by branch needs none of them.
        said = "FlexAttention cannot be used here; attention goes branch by branch"
        log.warning(said, exc_info=True, extra=TELLS_MESSAGES)
        _Compiled.failed = True
        return None


def fits_flex(query: torch.Tensor) -> bool:
    """Whether the compiled kernel can take such heads, and nothing asks for a gradient."""
    return query.is_cuda and not query.requires_grad and query.shape[-1] >= SMALLEST_HEAD


class _Compiled:
    """The kernel of this process, compiled when it is first called."""

    failed = False
    _kernel: Callable[..., Any] | None = None

    @classmethod
    def kernel(cls) -> Callable[..., Any] | None:
        if cls._kernel is None:
            cls._kernel = torch.compile(flex_attention, dynamic=True)
        return None if cls.failed else cls._kernel

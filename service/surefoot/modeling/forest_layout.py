"""A forest as the attention layers of one pass need it: its branches, what they see, and their keys and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch.nn.attention.flex_attention import BlockMask

    from surefoot.modeling.forest_store import ForestStore
    from surefoot.modeling.state_pool import PoolPass


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

    The store of a pass holds the keys and values that are known from a pool, and behind them those that it computes.
    """

    def __init__(self, store: ForestStore, pool: PoolPass | None = None) -> None:
        self.branches = store.branches()
        self._store = store
        self._pool = pool
        self._num_layers = 0
        self._masks: dict[tuple[int, int, int, int | None], torch.Tensor] = {}
        self._block_masks: dict[int | None, BlockMask] = {}

    def stored(self, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The keys and values of the next layer, [1, key heads, tokens of the store, dim]."""
        layer = self._num_layers
        self._num_layers += 1
        return (key, value) if self._pool is None else self._pool.joined(layer, key, value)

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


def joined(states: torch.Tensor, ranges: Sequence[tuple[int, int]]) -> torch.Tensor:
    """Those of some ranges of tokens, one behind the other, of states [1, heads, tokens, dim]."""
    parts = [states[:, :, start:end] for start, end in ranges]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)

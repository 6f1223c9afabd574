"""Keys, values and last hidden states of known prefixes, in memory that is taken once and never grows.

Each layer has a row for every slot. A pass writes what it computes into the rows that the `PrefixCache` gave it, layer
by layer, so that nothing is held twice; splitting or dropping a prefix moves no memory. Hidden states are kept beside
keys and values because earlier steps are read again, at positions that no later pass computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from surefoot.domain import CacheUse
from surefoot.modeling.prefix_cache import PrefixCache
from surefoot.modeling.transfer import on_device

KeyValue = tuple[torch.Tensor, torch.Tensor]


class StatePool:
    """Rows for as many tokens as `budget_bytes` hold, of the shapes of one token: its keys and values [1, key heads, 1,
    dim] of each layer, and its last hidden state [1, hidden]."""

    def __init__(self, budget_bytes: int, layers: Sequence[KeyValue], hidden: torch.Tensor) -> None:
        parts = [each for pair in layers for each in pair]
        self._slot_bytes = sum(part.nbytes for part in (*parts, hidden))
        num_slots = budget_bytes // self._slot_bytes
        self._num_slots = num_slots
        self.prefixes = PrefixCache(num_slots)
        # Not filled: on a CPU a row takes memory when it is first written.
        self._layers = [(_rows(key, num_slots), _rows(value, num_slots)) for key, value in layers]
        self._hidden = hidden.new_empty(num_slots, hidden.shape[-1])

    @property
    def use(self) -> CacheUse:
        """How many tokens are known, and how many can be; safe in any thread."""
        known = self.prefixes.num_tokens
        return CacheUse(known, self._num_slots, known * self._slot_bytes, self._num_slots * self._slot_bytes)

    def through(self, known: Sequence[int], kept: Sequence[tuple[int, int]]) -> PoolPass:
        """A pass that reads the slots in `known`, and of whose tokens those are kept that `kept` names, each with its
        slot."""
        device = self._hidden.device
        tokens, slots = [token for token, _ in kept], [slot for _, slot in kept]
        return PoolPass(
            self._layers,
            self._hidden,
            *(on_device(numbers, device) for numbers in (known, tokens, slots)),
        )


@dataclass(frozen=True, slots=True)
class PoolPass:
    """What one pass reads from a pool and leaves in it."""

    _layers: Sequence[KeyValue]
    _hidden: torch.Tensor
    _known: torch.Tensor
    _tokens: torch.Tensor
    _slots: torch.Tensor

    def joined(self, layer: int, key: torch.Tensor, value: torch.Tensor) -> KeyValue:
        """The keys and values of a layer, [1, key heads, tokens, dim], behind the known ones; they are kept."""
        keys, values = self._layers[layer]
        return self._one(keys, key), self._one(values, value)

    def joined_hidden(self, hidden: torch.Tensor | None) -> torch.Tensor:
        """The same of last hidden states, [tokens, hidden]; of the known ones alone where nothing was computed."""
        known = self._hidden[self._known]
        if hidden is None:
            return known
        self._hidden.index_copy_(0, self._slots, hidden[self._tokens])
        return torch.cat((known, hidden))

    def _one(self, rows: torch.Tensor, computed: torch.Tensor) -> torch.Tensor:
        by_token = computed[0].transpose(0, 1)
        rows.index_copy_(0, self._slots, by_token[self._tokens])
        if not len(self._known):
            return computed
        return torch.cat((rows[self._known].transpose(0, 1).unsqueeze(0), computed), dim=2)


def _rows(like: torch.Tensor, num_slots: int) -> torch.Tensor:
    return like.new_empty(num_slots, like.shape[1], like.shape[3])

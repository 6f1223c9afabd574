"""Scoring in process with transformers: one checkpoint, any number of heads on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import torch

from surefoot.domain import ForwardItem, Rows
from surefoot.errors import SettingsInvalid
from surefoot.modeling.checkpoint import Checkpoint
from surefoot.modeling.heads import LinearHead
from surefoot.modeling.packed_forward import (
    UnsupportedAttention,
    packed_hidden_states,
    plain_hidden_states,
    rotates_by_longest,
)

log = logging.getLogger(__name__)

HiddenStates = Callable[[torch.nn.Module, Sequence[Sequence[int]], Sequence[Sequence[int]]], torch.Tensor]


class TransformersBackend:
    """Reads values at given positions; several named heads may share the checkpoint, and a batch may mix them."""

    def __init__(self, name: str, checkpoint: Checkpoint, *, max_input_tokens: int | None = None) -> None:
        self._name = name
        self._checkpoint = checkpoint
        self._heads: dict[str, LinearHead] = {}
        self._max_input_tokens = min(max_input_tokens or checkpoint.max_positions, checkpoint.max_positions)
        self._hidden_states = self._working_forward()

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_input_tokens(self) -> int:
        return self._max_input_tokens

    def add_head(self, name: str, head: LinearHead) -> None:
        """Register a head under a name that `ForwardItem.head` may ask for."""
        if name in self._heads:
            raise SettingsInvalid(f"two models are named {name!r}: give each its own name", param="models")
        self._heads[name] = head.to(self._checkpoint.device)

    def forward(self, batch: Sequence[ForwardItem]) -> list[Rows]:
        with torch.inference_mode():
            hidden = self._hidden_states(
                self._checkpoint.trunk,
                [item.rendered.token_ids for item in batch],
                [item.rendered.readout_positions for item in batch],
            )
            parts = hidden.split([len(item.rendered.readout_positions) for item in batch])
            return [
                tuple(tuple(row) for row in self._heads[item.head](part).tolist())
                for item, part in zip(batch, parts, strict=True)
            ]

    def close(self) -> None:
        self._heads.clear()

    def _working_forward(self) -> HiddenStates:
        """The packed pass where the model's attention allows it, else one ordinary pass a sequence."""
        trunk = self._checkpoint.trunk
        try:
            if rotates_by_longest(trunk.config):
                raise UnsupportedAttention("its rotary positions depend on the longest sequence of a pass")
            with torch.inference_mode():
                packed_hidden_states(trunk, [[0, 0], [0]], [[1], [0]])
        except (UnsupportedAttention, TypeError) as cause:
            log.warning("%s is scored one sequence at a time: %s", self._name, cause)
            trunk.set_attn_implementation("eager")
            return plain_hidden_states
        return packed_hidden_states

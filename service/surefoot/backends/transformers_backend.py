"""Scoring in process with transformers: one checkpoint, any number of heads on it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from surefoot.domain import ForwardItem, Rows
from surefoot.errors import SettingsInvalid
from surefoot.modeling.checkpoint import Checkpoint
from surefoot.modeling.trunk_forward import TrunkForward


class TransformersBackend:
    """Reads values at given positions; several named heads may share the checkpoint, and a batch may mix them."""

    def __init__(self, name: str, checkpoint: Checkpoint, *, max_input_tokens: int | None = None) -> None:
        self._name = name
        self._device = checkpoint.device
        self._trunk = TrunkForward(name, checkpoint)
        self._heads: dict[str, torch.nn.Module] = {}
        self._max_input_tokens = min(max_input_tokens or checkpoint.max_positions, checkpoint.max_positions)

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_input_tokens(self) -> int:
        return self._max_input_tokens

    def add_head(self, name: str, head: torch.nn.Module) -> None:
        """Register a head under a name that `ForwardItem.head` may ask for."""
        if name in self._heads:
            raise SettingsInvalid(f"two models are named {name!r}: give each its own name", param="models")
        self._heads[name] = head.to(self._device)

    def forward(self, batch: Sequence[ForwardItem]) -> list[Rows]:
        hidden = self._trunk.hidden_states(
            [item.rendered.token_ids for item in batch], [item.rendered.readout_positions for item in batch]
        )
        parts = hidden.split([len(item.rendered.readout_positions) for item in batch])
        return [self._rows(item, part) for item, part in zip(batch, parts, strict=True)]

    def plain_rows(self, item: ForwardItem) -> Rows:
        """An input's rows by one ordinary pass, to hold the served ones against.

        Served passes wait meanwhile: this is for the time before serving.
        """
        rendered = item.rendered
        hidden = self._trunk.plain_hidden_states([rendered.token_ids], [rendered.readout_positions])
        return self._rows(item, hidden)

    def close(self) -> None:
        self._heads.clear()

    def _rows(self, item: ForwardItem, hidden: torch.Tensor) -> Rows:
        with torch.inference_mode():
            return tuple(tuple(row) for row in self._heads[item.head](hidden).tolist())

"""Scoring in process with transformers: one checkpoint, any number of heads and adapters on it."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

import torch

from surefoot.backends.lost_device import lost_device_told
from surefoot.domain import CacheUse, Forwarded, ForwardItem, Rows
from surefoot.errors import SettingsInvalid
from surefoot.modeling.adapters import Adapter
from surefoot.modeling.checkpoint import Checkpoint
from surefoot.modeling.trunk_forward import TrunkForward

log = logging.getLogger(__name__)


class TransformersBackend:
    """Reads values at given positions; several named heads may share the checkpoint, and a batch may mix them.

    A head may have an adapter of its own: a batch then takes a pass for each adapter in it, and one for those without.
    """

    def __init__(
        self,
        name: str,
        checkpoint: Checkpoint,
        *,
        max_input_tokens: int | None = None,
        prefix_cache_bytes: int = 0,
        deterministic: bool = False,
    ) -> None:
        """`prefix_cache_bytes` bound what is kept of inputs, so that longer ones cost their new tokens only. With
        `deterministic` an input gives the same bits whatever is beside it, at the price of passes for each alone and
        of that cache where shared passes round otherwise here."""
        self._name = name
        self._device = checkpoint.device
        self._trunk = TrunkForward(name, checkpoint, prefix_cache_bytes=prefix_cache_bytes)
        self._each_alone = deterministic and not self._trunk.gives_same_bits()
        if self._each_alone:
            log.info("%s is scored one input at a time: shared passes would round otherwise", name)
        self._heads: dict[str, torch.nn.Module] = {}
        self._adapted: set[str] = set()
        self._max_input_tokens = min(max_input_tokens or checkpoint.max_positions, checkpoint.max_positions)

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_input_tokens(self) -> int:
        return self._max_input_tokens

    @property
    def keeps_prefixes(self) -> bool:
        """Whether an input that goes on from an earlier one costs its new tokens only."""
        return self._trunk.keeps_prefixes and not self._each_alone

    @property
    def prefix_use(self) -> CacheUse | None:
        """How full the prefix cache is; `None` where none is used."""
        return self._trunk.prefix_use if self.keeps_prefixes else None

    def add_head(self, name: str, head: torch.nn.Module) -> None:
        """Register a head under a name that `ForwardItem.head` may ask for."""
        if name in self._heads:
            raise SettingsInvalid(f"two models are named {name!r}: give each its own name", param="models")
        self._heads[name] = head.to(self._device)

    def add_adapter(self, name: str, adapter: Adapter) -> None:
        """Have the inputs of that head read with an adapter. Raises `AdapterMismatch` for one of another model."""
        self._trunk.add_adapter(name, adapter)
        self._adapted.add(name)

    def remove_head(self, name: str) -> None:
        """Let go of a head and its adapter that no further input asks for; a pass that runs ends with them.

        Safe in any thread and at any moment, as it takes no lock.
        """
        self._heads.pop(name, None)
        self._adapted.discard(name)
        self._trunk.remove_adapter(name)

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        # Before anything is computed: an input whose caller has left may lose its head while its batch runs.
        heads = [self._heads[item.head] for item in batch]
        passes: defaultdict[str | None, list[int]] = defaultdict(list)
        for place, item in enumerate(batch):
            passes[item.head if item.head in self._adapted else None].append(place)
        found: dict[int, Forwarded] = {}
        for adapter, own in passes.items():
            for places in [[place] for place in own] if self._each_alone else [own]:
                given = [batch[place] for place in places], [heads[place] for place in places]
                with lost_device_told(self._device):
                    found.update(zip(places, self._one_pass(*given, adapter), strict=True))
        return [found[place] for place in range(len(batch))]

    def _one_pass(
        self, batch: Sequence[ForwardItem], heads: Sequence[torch.nn.Module], adapter: str | None
    ) -> list[Forwarded]:
        tokens = [item.rendered.token_ids for item in batch]
        positions = [item.rendered.readout_positions for item in batch]
        if self._each_alone:
            hidden, cached = self._trunk.hidden_states(tokens, positions, adapter=adapter), [0] * len(batch)
        else:
            hidden, cached = self._trunk.cached_hidden_states(tokens, positions, adapter=adapter)
        parts = hidden.split([len(item.rendered.readout_positions) for item in batch])
        return [Forwarded(_rows(head, part), count) for head, part, count in zip(heads, parts, cached, strict=True)]

    def plain_rows(self, item: ForwardItem) -> Rows:
        """An input's rows by one ordinary pass, to hold the served ones against.

        Served passes wait meanwhile: this is for the time before a model is served.
        """
        rendered, head = item.rendered, self._heads[item.head]
        hidden = self._trunk.plain_hidden_states([rendered.token_ids], [rendered.readout_positions], adapter=item.head)
        return _rows(head, hidden)

    def close(self) -> None:
        self._heads.clear()


def _rows(head: torch.nn.Module, hidden: torch.Tensor) -> Rows:
    with torch.inference_mode():
        return tuple(tuple(row) for row in head(hidden).tolist())

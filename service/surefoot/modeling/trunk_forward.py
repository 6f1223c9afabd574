"""Hidden states of a checkpoint's trunk, by the fastest pass that its attention allows."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import torch

from surefoot.domain import CacheUse
from surefoot.errors import CheckpointDamaged
from surefoot.modeling.adapters import AdaptedLayers, Adapter
from surefoot.modeling.checkpoint import Checkpoint
from surefoot.modeling.packed_attention import PACKED_ATTENTION, UnsupportedAttention
from surefoot.modeling.packed_forward import (
    cached_hidden_states,
    leaks_between_sequences,
    new_pool,
    packed_hidden_states,
    plain_hidden_states,
    rotates_by_longest,
    same_bits_in_company,
)
from surefoot.modeling.row_chunks import row_wise_in_chunks
from surefoot.modeling.split_forward import can_be_split, layer_inputs, packed_hidden_states_above
from surefoot.modeling.state_pool import StatePool

log = logging.getLogger(__name__)

Indices = Sequence[Sequence[int]]
"""Per sequence, its token ids, or the positions wanted in it."""


class TrunkForward:
    """The packed pass where it gives what each sequence gives alone, else one ordinary pass a sequence."""

    def __init__(self, name: str, checkpoint: Checkpoint, *, prefix_cache_bytes: int = 0) -> None:
        self._trunk = checkpoint.trunk
        self._adapters = AdaptedLayers(checkpoint.model)
        self._adapter_ids: dict[str, str] = {}
        # Passes are made by one thread; the ordinary pass for a comparison changes the trunk for as long as it runs.
        self._one_pass = threading.Lock()
        self._forward: Callable[[torch.nn.Module, Indices, Indices], torch.Tensor] = packed_hidden_states
        reason = self._why_not_packed()
        if reason is not None:
            log.warning("%s is scored one sequence at a time: %s", name, reason)
            self._forward = plain_hidden_states
            self._check_plain(name)
        row_wise_in_chunks(self._trunk)
        self._pool = self._new_pool(prefix_cache_bytes)

    @property
    def dtype(self) -> torch.dtype:
        """What the trunk computes in."""
        found: torch.dtype = self._trunk.dtype
        return found

    @property
    def is_packed(self) -> bool:
        """Whether several sequences share a pass."""
        return self._forward is packed_hidden_states

    @property
    def keeps_prefixes(self) -> bool:
        """Whether what was computed is kept for sequences that go on from it."""
        return self._pool is not None

    @property
    def prefix_use(self) -> CacheUse | None:
        """How full the prefix cache is; `None` without one."""
        return None if self._pool is None else self._pool.use

    def gives_same_bits(self) -> bool:
        """Whether a sequence gives the same bits alone as beside others and behind a shared beginning.

        Only bf16 on a CPU is computed so that it can, and only a trial shows whether this machine's products do.
        """
        if self._forward is plain_hidden_states:
            return True
        parameter = next(self._trunk.parameters())
        if not parameter.is_cpu or parameter.dtype != torch.bfloat16:
            return False
        with self._one_pass, torch.inference_mode():
            return same_bits_in_company(self._trunk)

    def add_adapter(self, name: str, adapter: Adapter) -> None:
        """Take an adapter under a name that passes may ask for. Raises `AdapterMismatch` for one of another model."""
        # Not within a pass, which goes through the very layers that are changed.
        with self._one_pass:
            self._adapters.add(name, adapter)
            self._adapter_ids[name] = adapter.id

    def remove_adapter(self, name: str) -> None:
        """Let go of an adapter that no further pass asks for; a pass that runs with it ends with it."""
        self._adapters.remove(name)

    def cached_hidden_states(
        self, sequences: Indices, positions: Indices, *, adapter: str | None = None
    ) -> tuple[torch.Tensor, list[int]]:
        """`hidden_states`, and how many tokens of each sequence were known from earlier passes."""
        if self._pool is None:
            return self.hidden_states(sequences, positions, adapter=adapter), [0] * len(sequences)
        with self._one_pass, torch.inference_mode(), self._adapters.active(adapter):
            # By its values: a name may stand for other ones later. What nobody asks for any more ages out.
            known_by = self._adapter_ids.get(adapter) if adapter is not None else None
            return cached_hidden_states(self._trunk, sequences, positions, self._pool, known_by)

    def hidden_states(self, sequences: Indices, positions: Indices, *, adapter: str | None = None) -> torch.Tensor:
        """Last hidden states at the wanted positions of all sequences, [sum of positions, hidden], in order.

        `adapter` is the name of one that was added; any other name is the base alone.
        """
        with self._one_pass, torch.inference_mode(), self._adapters.active(adapter):
            return self._forward(self._trunk, sequences, positions)

    def differentiable_hidden_states(self, sequences: Indices, positions: Indices) -> torch.Tensor:
        """The same with what a gradient needs: what is trained is read by the pass that it is served by.

        Solutions to learn from seldom share a beginning, and gradients are faster without.
        """
        with self._one_pass:
            if self.is_packed:
                return packed_hidden_states(self._trunk, sequences, positions, share_prefixes=False)
            return self._forward(self._trunk, sequences, positions)

    def can_be_split(self, layer: int) -> bool:
        """Whether the two methods below together do what a whole pass does."""
        with self._one_pass:
            return self.is_packed and can_be_split(self._trunk, layer)

    def layer_inputs(self, sequences: Indices, layer: int) -> list[torch.Tensor]:
        """What the layer at that place is given for each sequence, [tokens, hidden], by the base's layers below it."""
        with self._one_pass, torch.no_grad():
            return layer_inputs(self._trunk, sequences, layer)

    def differentiable_hidden_states_above(
        self, layer: int, inputs: Sequence[torch.Tensor], positions: Indices
    ) -> torch.Tensor:
        """`differentiable_hidden_states` of sequences whose lower layers were computed before."""
        with self._one_pass:
            return packed_hidden_states_above(self._trunk, layer, inputs, positions)

    def plain_hidden_states(
        self, sequences: Indices, positions: Indices, *, adapter: str | None = None
    ) -> torch.Tensor:
        """The same by ordinary passes with transformers' own attention, to hold the served ones against.

        Served passes wait meanwhile: this is for the time before serving.
        """
        with self._one_pass, torch.inference_mode(), self._adapters.active(adapter):
            if not self.is_packed:
                return plain_hidden_states(self._trunk, sequences, positions)
            self._trunk.set_attn_implementation("sdpa")
            try:
                return plain_hidden_states(self._trunk, sequences, positions)
            finally:
                self._trunk.set_attn_implementation(PACKED_ATTENTION)

    def _new_pool(self, budget_bytes: int) -> StatePool | None:
        if not budget_bytes or not self.is_packed:
            return None
        with torch.inference_mode():
            return new_pool(self._trunk, budget_bytes)

    def _why_not_packed(self) -> str | None:
        """The reason against the packed pass, after which the trunk has an attention of its own family's."""
        config = self._trunk.config
        if config._attn_implementation != PACKED_ATTENTION:  # noqa: SLF001  transformers has no other name for it
            return "its attention is not transformers' own"
        try:
            if rotates_by_longest(config):
                raise UnsupportedAttention("its rotary positions depend on the longest sequence of a pass")
            with torch.inference_mode():
                leaks = leaks_between_sequences(self._trunk)
            if leaks:
                raise UnsupportedAttention("its layers mix the tokens of neighbouring sequences")
        except (UnsupportedAttention, TypeError) as cause:
            self._trunk.set_attn_implementation("eager")
            return str(cause)
        return None

    def _check_plain(self, name: str) -> None:
        try:
            with torch.inference_mode():
                plain_hidden_states(self._trunk, [[0, 0]], [[1]])
        except (AttributeError, TypeError, ValueError, RuntimeError, IndexError) as cause:
            raise CheckpointDamaged(
                f"the trunk of {name} gives no hidden states for a line of tokens ({type(cause).__name__}): it is no "
                "decoder that can be read here",
                param="path",
            ) from cause

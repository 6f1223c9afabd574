"""Layers below the lowest adapted one give the same in every epoch: they are computed once for each sequence."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from surefoot.modeling.trunk_forward import Indices, TrunkForward

KeptStates = dict[tuple[int, ...], torch.Tensor]
"""By a sequence's tokens, what the lowest adapted layer is given for it, [tokens, hidden] on the CPU."""


class LowerLayers:
    """Passes for training, which begin at the lowest adapted layer where what is below is known already.

    A bf16 base of 576 dimensions takes 1.2 kB a token.
    """

    def __init__(self, forward: TrunkForward, first: int, most_bytes: int, kept: KeptStates | None = None) -> None:
        """`first` is the place of the lowest adapted layer; beyond `most_bytes` nothing more is kept. `kept` is what
        was kept for the same layer of the same base before, which is added to."""
        self._forward, self._first = forward, first
        self._kept: KeptStates = {} if kept is None else kept
        self._left = most_bytes - sum(found.numel() * found.element_size() for found in self._kept.values())
        self._is_split = first > 0 and most_bytes > 0 and forward.can_be_split(first)

    def hidden_states(self, sequences: Sequence[tuple[int, ...]], positions: Indices) -> torch.Tensor:
        """Last hidden states at the wanted positions with their gradient, [sum of positions, hidden]."""
        if not self._is_split:
            return self._forward.differentiable_hidden_states(sequences, positions)
        missing = [sequence for sequence in dict.fromkeys(sequences) if sequence not in self._kept]
        new = dict(zip(missing, self._computed(missing), strict=True))
        inputs = [new[sequence] if sequence in new else self._kept[sequence] for sequence in sequences]
        for sequence, found in new.items():
            size = found.numel() * found.element_size()
            if size <= self._left:
                self._left -= size
                self._kept[sequence] = found
        return self._forward.differentiable_hidden_states_above(self._first, inputs, positions)

    def _computed(self, sequences: Sequence[tuple[int, ...]]) -> list[torch.Tensor]:
        if not sequences:
            return []
        # fp32 products round otherwise beside other rows, which are others in a resumed run; those of bf16 do not.
        groups = [[sequence] for sequence in sequences] if self._forward.dtype == torch.float32 else [sequences]
        # A copy of its own each: a part of the pass would keep the whole of it.
        return [
            part.to("cpu", copy=True) for group in groups for part in self._forward.layer_inputs(group, self._first)
        ]

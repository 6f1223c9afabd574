"""Which part of a model an adapter changes, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoraShape:
    """Which layers get an adapter, and how large.

    An adapted layer gives W x + (alpha / rank) · B A x with A [rank, in] and B [out, rank]. `top_layers` counts decoder
    layers from the output, 0 means all: the others need no gradient, which saves most of the backward pass. `targets`
    are the names of linear layers within them, by default all.
    """

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    top_layers: int = 0
    targets: tuple[str, ...] = ()

"""Heads among a checkpoint's tensors: small layers outside the decoder's numbered blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from surefoot.inspection.tensor_index import TensorInfo

_MAX_ROWS = 64
"""More outputs than any reward head has, fewer than any vocabulary or hidden size."""


@dataclass(frozen=True, slots=True)
class FoundHead:
    """A head by the prefix of its tensors, as `HeadSpec` names it: [num_inputs] to [rows]."""

    weights: str
    layers: Literal["linear", "mlp_relu"]
    rows: int
    num_inputs: int
    has_bias: bool

    def describe(self) -> str:
        """`score (mlp_relu, 2 rows, bias)`."""
        rows = f"{self.rows} row{'' if self.rows == 1 else 's'}"
        return f"{self.weights} ({self.layers}, {rows}, {'bias' if self.has_bias else 'no bias'})"


def find_heads(tensors: Mapping[str, TensorInfo]) -> tuple[FoundHead, ...]:
    """All heads, sorted by name."""
    return tuple(sorted(_heads(tensors), key=lambda head: head.weights))


def _heads(tensors: Mapping[str, TensorInfo]) -> Iterator[FoundHead]:
    for name, info in tensors.items():
        layer = name.removesuffix(".weight")
        if layer == name or len(info.shape) != 2 or info.shape[0] > _MAX_ROWS or "embed" in layer:
            continue
        weights, _, place = layer.rpartition(".")
        has_bias = f"{layer}.bias" in tensors
        if not _is_in_a_block(layer):
            yield FoundHead(layer, "linear", info.shape[0], info.shape[1], has_bias)
        elif place == "2" and weights and not _is_in_a_block(weights):
            inner = tensors.get(f"{weights}.0.weight")
            if inner is not None and len(inner.shape) == 2:
                yield FoundHead(weights, "mlp_relu", info.shape[0], inner.shape[1], has_bias)


def _is_in_a_block(layer: str) -> bool:
    return any(part.isdigit() for part in layer.split("."))

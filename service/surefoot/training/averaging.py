"""Adapters between two others: the weighted mean of their values (WiSE-FT, arXiv 2109.01903).

What was trained on from an adapter for errors of a new kind loses some of what it knew of others. Halfway back it keeps
nearly all of that, and part of what is new; no data and no training is needed.
"""

from __future__ import annotations

import torch

from surefoot.errors import AdapterMismatch
from surefoot.modeling.adapters import Adapter


def averaged(first: Adapter, second: Adapter, share: float) -> dict[str, torch.Tensor]:
    """`(1 - share)` of the first one's values with `share` of the second one's, fp32, by peft's names.

    A and B are averaged each for itself, so that the second should have been trained on from the first. Raises
    `AdapterMismatch` where they are of other bases, layers, ranks or scales.
    """
    one, other = first.tensors(), second.tensors()
    same_shapes = one.keys() == other.keys() and all(one[name].shape == other[name].shape for name in one)
    if first.base_id != second.base_id or not same_shapes or _scales(first) != _scales(second):
        raise AdapterMismatch(
            "the adapters are not of one base, with the same layers, rank and alpha: average one with what was trained "
            "on from it by --start-from",
            param="adapter",
        )
    return {name: torch.lerp(one[name], other[name], share) for name in one}


def _scales(adapter: Adapter) -> dict[str, float]:
    return {name: layer.scale for name, layer in adapter.layers.items()}

"""How much of a CUDA device vLLM may take: by default it takes nearly all of it, and here others hold the model too."""

from __future__ import annotations

from pathlib import Path

ROOM_BYTES = 12 * 2**30
"""Beside the weights: keys and values of what is under way and in the prefix cache, activations, CUDA graphs."""
_MOST = 0.9


def memory_share(directory: str, device: str) -> float:
    """Share of the device's memory that a checkpoint is served in."""
    import torch

    weights = sum(file.stat().st_size for file in Path(directory).glob("*.safetensors"))
    return share_of(torch.cuda.get_device_properties(device).total_memory, weights)


def share_of(total_bytes: int, weights_bytes: int) -> float:
    """The weights with `ROOM_BYTES`, or all that vLLM takes by itself where the device has less."""
    return min(_MOST, (weights_bytes + ROOM_BYTES) / total_bytes)

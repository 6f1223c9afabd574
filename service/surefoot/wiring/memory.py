"""Weights that do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from surefoot.errors import OutOfMemory


@contextmanager
def within_memory(name: str) -> Iterator[None]:
    """Raises `OutOfMemory` where what is loaded inside does not fit, be it on the device or beside it."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_of_memory(error):
            raise
        raise OutOfMemory(
            f"models: {name}: the weights do not fit into the memory that is left: unload what is kept beside served "
            "models, or choose smaller weights",
            param="path",
        ) from None


def _is_of_memory(error: MemoryError | RuntimeError) -> bool:
    import torch

    # torch has an error of its own for devices, and none for the processor's memory.
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)

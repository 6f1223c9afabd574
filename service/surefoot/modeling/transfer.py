"""Numbers on their way to the device of a pass."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def on_device(numbers: Sequence[int] | torch.Tensor, device: torch.device) -> torch.Tensor:
    """Whole numbers as a tensor there. To a GPU they go from pinned memory, while this thread prepares the next ones:
    an ordinary copy waits for all that the GPU has to do before."""
    found = numbers if isinstance(numbers, torch.Tensor) else torch.tensor(numbers, dtype=torch.long)
    if device.type == "cuda" and not found.is_cuda:
        found = found.pin_memory()
    return found.to(device, non_blocking=True)

"""Telling a forward pass that failed from a device that is lost to this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from surefoot.errors import ModelStopped


@contextmanager
def lost_device_told(
    device: torch.device, synchronize: Callable[[torch.device], object] = torch.cuda.synchronize
) -> Iterator[None]:
    """Around a pass: what it raises, or `ModelStopped` where the device does not work for this process any more.

    After an illegal access or a failed assertion in a kernel every further call in the process fails as well, and only
    a new process gets a working context; too little memory passes.
    """
    try:
        yield
    except RuntimeError as failure:
        if device.type == "cuda" and not isinstance(failure, torch.OutOfMemoryError):
            try:
                synchronize(device)
            except RuntimeError as lost:
                raise ModelStopped(
                    "a forward pass broke the CUDA context, with which every further one fails"
                ) from lost
        raise

"""Work that is done row by row, on a CPU for some hundred rows at a time: what one step of it leaves for the next is
then still in the processor's cache, where that of a whole pass has long gone to memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

_ROWS = 512
"""Of 256 to 1,024 on a processor with 1 MB of second-level cache a core (ADR 0031)."""

_DENSE = ("gate_proj", "up_proj", "down_proj")
"""What a feed-forward block holds that computes every token by itself. A mixture of experts does not: its router counts
the tokens."""


def rows_at_a_time(device: torch.device) -> int:
    """How many rows to take; a GPU is given all at once."""
    return _ROWS if device.type == "cpu" else 2**31


_NORM = "RMSNorm"
"""How transformers' families name theirs, with their own name before it; some fill four fp32 copies of their input."""


def row_wise_in_chunks(trunk: torch.nn.Module) -> None:
    """Have the norms and dense feed-forward blocks of a trunk go through long inputs in chunks wherever no gradient is
    wanted.

    A row's result is that of the whole: to the bit where the processor's products do not depend on the number of rows.
    """
    for module in trunk.modules():
        is_dense = all(isinstance(getattr(module, name, None), torch.nn.Linear) for name in _DENSE)
        if is_dense or type(module).__name__.endswith(_NORM):
            module.forward = _in_chunks(module.forward)


def _in_chunks(forward: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def chunked(hidden: torch.Tensor, *rest: Any, **named: Any) -> torch.Tensor:
        size = rows_at_a_time(hidden.device)
        # What else a block takes may be a value a row.
        if torch.is_grad_enabled() or rest or named or hidden.shape[:-1].numel() <= size:
            return forward(hidden, *rest, **named)
        rows = hidden.flatten(0, -2)
        return torch.cat([forward(some) for some in rows.split(size)]).view(*hidden.shape[:-1], -1)

    return chunked

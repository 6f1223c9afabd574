"""How much one scheduler takes at a time, and how much may wait."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from surefoot.errors import SettingsInvalid


@dataclass(frozen=True, slots=True)
class SchedulerLimits:
    """Budgets of one model's scheduler. Raises `SettingsInvalid` where one is not positive."""

    max_batch_tokens: int = 16_384
    """Distinct tokens of one forward pass, a shared beginning counted once; more is faster until memory or latency says
    stop."""

    max_bulk_batch_tokens: int = 16_384
    """The same of its bulk inputs; a first one may be longer. More is faster where a pass has a price of its own, less
    keeps the wait of interactive work behind a pass short."""

    max_batch_items: int = 256
    """Inputs of one forward pass; more amortises short inputs, fewer keep the wait behind a pass short."""

    max_queue_tokens: int = 1_048_576
    """Tokens that may wait, and the most that one request may bring; more absorbs bursts, less fails early."""

    max_queue_items: int = 8_192
    """Inputs that may wait, and the most that one request may bring; more absorbs bursts, less fails early."""

    max_queue_s: float = math.inf
    """Seconds of work, at the recent speed, that an interactive request may have to wait for; more absorbs bursts, less
    keeps the latency of what is accepted."""

    max_bulk_queue_s: float = math.inf
    """The same of a bulk request."""

    bulk_max_wait_s: float = 5.0
    """Seconds after which a bulk input counts as interactive; more favours interactive callers, less favours bulk."""

    stuck_after_s: float = math.inf
    """Seconds after which a forward pass that has not ended counts as stuck; more than the slowest pass takes."""

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not value > 0:
                raise SettingsInvalid(f"{setting.name} is {value}; set it above 0", param=setting.name)

"""When a forward pass counts as stuck. Pure policy: no clock, no thread."""

from __future__ import annotations

LOOKS = 20
MAX_LOOK_S = 1.0


def is_stuck(began_at: float, now: float, stuck_after_s: float) -> bool:
    """Whether a pass that has not ended yet has taken too long; times are seconds on one monotonic clock."""
    return now - began_at >= stuck_after_s


def look_every_s(stuck_after_s: float) -> float:
    """Seconds between two looks at a running pass: one that is stuck is noticed by 5 %, at most 1 s, after its time."""
    return min(stuck_after_s / LOOKS, MAX_LOOK_S)

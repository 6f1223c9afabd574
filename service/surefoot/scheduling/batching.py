"""Which waiting inputs run next. Pure policy: no clock, no futures, no thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from surefoot.domain import Priority
from surefoot.scheduling.limits import SchedulerLimits


@dataclass(frozen=True, slots=True)
class WaitingView:
    """What the policies need to know of a waiting input; times are seconds on one monotonic clock."""

    num_tokens: int
    priority: Priority
    enqueued_at: float
    deadline: float | None = None


def fitting_prefix(lengths: Sequence[int], max_batch_tokens: int, max_batch_items: int) -> int:
    """How many inputs of these token counts fit one forward pass, from the first on and without gaps.

    Skipping a long input for a shorter one behind it would starve the long one.
    """
    total = 0
    for count, length in enumerate(lengths[:max_batch_items]):
        total += length
        if total > max_batch_tokens:
            return count
    return min(len(lengths), max_batch_items)


def has_expired(view: WaitingView, now: float) -> bool:
    """Whether the deadline has come: an input that starts exactly at its deadline would answer too late."""
    return view.deadline is not None and now >= view.deadline


def is_urgent(view: WaitingView, now: float, bulk_max_wait_s: float) -> bool:
    """Whether an input counts as interactive: sent as such, or bulk that has waited longer than `bulk_max_wait_s`."""
    return view.priority == "interactive" or now - view.enqueued_at > bulk_max_wait_s


def next_batch(waiting: Sequence[WaitingView], now: float, limits: SchedulerLimits) -> tuple[int, ...]:
    """Indices into `waiting` of the next forward pass: urgent before bulk, in each the oldest first.

    Inputs of equal age keep their order; expired ones are never chosen. With every input at most
    `max_batch_tokens` long, the result is empty only if nothing is left to run.
    """
    alive = [index for index, view in enumerate(waiting) if not has_expired(view, now)]
    alive.sort(
        key=lambda index: (
            not is_urgent(waiting[index], now, limits.bulk_max_wait_s),
            waiting[index].enqueued_at,
        )
    )
    lengths = [waiting[index].num_tokens for index in alive[: limits.max_batch_items]]
    return tuple(alive[: fitting_prefix(lengths, limits.max_batch_tokens, limits.max_batch_items)])

"""Which waiting inputs run next. Pure policy: no clock, no futures, no thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from surefoot.callers import NOBODY
from surefoot.domain import Priority
from surefoot.scheduling.distinct_tokens import DistinctTokens
from surefoot.scheduling.limits import SchedulerLimits


@dataclass(frozen=True, slots=True)
class WaitingView:
    """What the policies need to know of a waiting input; times are seconds on one monotonic clock."""

    token_ids: tuple[int, ...]
    priority: Priority
    enqueued_at: float
    deadline: float | None = None
    caller: str = NOBODY

    @property
    def num_tokens(self) -> int:
        return len(self.token_ids)


def has_expired(view: WaitingView, now: float) -> bool:
    """Whether the deadline has come: an input that starts exactly at its deadline would answer too late."""
    return view.deadline is not None and now >= view.deadline


def is_urgent(view: WaitingView, now: float, bulk_max_wait_s: float) -> bool:
    """Whether an input counts as interactive: sent as such, or bulk that has waited longer than `bulk_max_wait_s`."""
    return view.priority == "interactive" or now - view.enqueued_at > bulk_max_wait_s


def next_batch(
    waiting: Sequence[WaitingView], turns: Sequence[float], now: float, limits: SchedulerLimits
) -> tuple[int, ...]:
    """Indices into `waiting` of the next forward pass: urgent before bulk, in each by their `turns`, then the oldest.

    As many as the budget of distinct tokens takes, from the first on and without gaps: skipping a long input for a
    shorter one behind it would starve the long one. Equal ones keep their order; expired ones are never chosen. With
    every input at most `max_batch_tokens` long, the result is empty only if nothing is left to run.
    """
    alive = [index for index, view in enumerate(waiting) if not has_expired(view, now)]
    alive.sort(
        key=lambda index: (
            not is_urgent(waiting[index], now, limits.bulk_max_wait_s),
            turns[index],
            waiting[index].enqueued_at,
        )
    )
    counted = DistinctTokens()
    for count, index in enumerate(alive[: limits.max_batch_items]):
        token_ids = waiting[index].token_ids
        if counted.total + counted.cost_of(token_ids) > limits.max_batch_tokens:
            return tuple(alive[:count])
        counted.add(token_ids)
    return tuple(alive[: limits.max_batch_items])

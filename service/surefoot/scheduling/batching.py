"""Which waiting inputs run next. Pure policy: no clock, no futures, no thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    shorter one behind it would starve the long one. Bulk has a budget within it, of which the first one may be longer;
    what is left of bulk then lets interactive inputs pass, and comes before other bulk in the next. Equal ones keep
    their order; expired ones are never chosen. With every input at most `max_batch_tokens` long, the result is empty
    only if nothing is left to run.
    """
    alive = [index for index, view in enumerate(waiting) if not has_expired(view, now)]
    alive.sort(
        key=lambda index: (
            not is_urgent(waiting[index], now, limits.bulk_max_wait_s),
            turns[index],
            waiting[index].enqueued_at,
        )
    )
    return tuple(_filled(alive, waiting, limits))


def _filled(ordered: Sequence[int], waiting: Sequence[WaitingView], limits: SchedulerLimits) -> Iterator[int]:
    """Of the indices in their order those that go along."""
    counted, num_items, bulk_tokens, bulk_is_full = DistinctTokens(), 0, 0, False
    for index in ordered:
        view = waiting[index]
        is_bulk = view.priority == "bulk"
        if is_bulk and bulk_is_full:
            continue
        cost = counted.cost_of(view.token_ids)
        if num_items == limits.max_batch_items or counted.total + cost > limits.max_batch_tokens:
            return
        if is_bulk and bulk_tokens and bulk_tokens + cost > limits.max_bulk_batch_tokens:
            bulk_is_full = True
            continue
        counted.add(view.token_ids)
        num_items += 1
        bulk_tokens += cost if is_bulk else 0
        yield index

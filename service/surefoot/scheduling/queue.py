"""The waiting line: entries leave it to run, on cancellation, at their deadline or when it is drained."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from surefoot.domain import ForwardItem, ForwardResult
from surefoot.errors import DeadlineExceeded, ItemError
from surefoot.scheduling.admission import Flow, Occupancy
from surefoot.scheduling.batching import WaitingView, has_expired, next_batch
from surefoot.scheduling.distinct_tokens import distinct_costs
from surefoot.scheduling.fair_turns import FairTurns
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.score_cache import Key


class EntryFuture(asyncio.Future[ForwardResult]):
    """A future that leaves the line inside `cancel()`; a done callback would free the room one loop turn later."""

    on_cancel: Callable[[], None] | None = None

    def cancel(self, msg: object = None) -> bool:
        cancelled = super().cancel(msg)
        if cancelled and self.on_cancel is not None:
            self.on_cancel()
        return cancelled


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One accepted input. `complete` and `fail` settle it once; later calls and cancelled callers are ignored."""

    item: ForwardItem
    future: EntryFuture
    view: WaitingView
    key: Key | None = None

    def complete(self, result: ForwardResult) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, error: ItemError) -> None:
        if not self.future.done():
            self.future.set_exception(error)
            # Marks the error as seen: a caller that left must not turn it into asyncio's "never retrieved" report.
            self.future.exception()

    def expire_if_late(self, now: float) -> bool:
        """Settle with `DeadlineExceeded` if the deadline has come by `now`."""
        if not has_expired(self.view, now):
            return False
        self.fail(deadline_error(self.view, now))
        return True


def deadline_error(view: WaitingView, now: float) -> DeadlineExceeded:
    """The error of an input whose deadline came before its forward pass."""
    waited_s = max(now - view.enqueued_at, 0.0)
    return DeadlineExceeded(
        f"still waiting for its forward pass after {waited_s:.3f} s; raise timeout_s or send less at once",
        param="timeout_s",
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose work an entry is, what it adds to what came with it in tokens, and what ends its waiting."""

    line: Flow
    cost: int
    timer: asyncio.TimerHandle | None


class WaitingQueue:
    """Entries in order of arrival, with their turns and deadline timers. All methods belong to the event loop's thread.

    `on_change` hears of every change that the queue makes on its own (cancellation, deadline); callers know theirs.
    """

    def __init__(self, clock: Callable[[], float], on_change: Callable[[], None]) -> None:
        self._clock = clock
        self._on_change = on_change
        self._places: dict[Entry, _Place] = {}
        self._turns = FairTurns()
        self._lines: Counter[Flow] = Counter()
        self._line_tokens: Counter[Flow] = Counter()
        self._num_tokens = 0

    @property
    def occupancy(self) -> Occupancy:
        return Occupancy(num_requests=len(self._places), num_tokens=self._num_tokens)

    @property
    def tokens_by_flow(self) -> Mapping[Flow, int]:
        """How many tokens wait of each caller and priority that has work waiting."""
        return self._line_tokens

    def extend(self, entries: Sequence[Entry]) -> None:
        """Add a group of one caller; each deadline gets a timer, so that it is kept even behind a long forward pass."""
        if not entries:
            return
        loop = asyncio.get_running_loop()
        now, first = self._clock(), entries[0].view
        costs = distinct_costs([entry.view.token_ids for entry in entries])
        # A caller's bulk work is a line of its own, or what it wants at once would wait behind it.
        line = first.caller, first.priority
        if not self._lines[line]:
            self._turns.arrive(line)
        self._lines[line] += len(entries)
        for entry, cost in zip(entries, costs, strict=True):
            deadline = entry.view.deadline
            timer = None if deadline is None else loop.call_later(deadline - now, self._expire, entry)
            self._places[entry] = _Place(line, cost, timer)
            self._num_tokens += entry.view.num_tokens
            self._line_tokens[line] += entry.view.num_tokens
            entry.future.on_cancel = partial(self._forget, entry)

    def take_batch(self, limits: SchedulerLimits) -> list[Entry]:
        """Remove and return the entries of the next forward pass; late ones are settled, never returned."""
        now = self._clock()
        for entry in [entry for entry in self._places if entry.expire_if_late(now)]:
            self._remove(entry)
        entries = list(self._places)
        turns = self._turns.turns([(place.line, place.cost) for place in self._places.values()])
        batch = [entries[index] for index in next_batch([entry.view for entry in entries], turns, now, limits)]
        served = [(place.line, place.cost) for place in (self._places[entry] for entry in batch)]
        for entry in batch:
            self._remove(entry)
        if served:
            self._turns.serve(served, self._lines.keys())
        return batch

    def drain(self) -> list[Entry]:
        """Remove and return everything; the caller settles it."""
        entries = list(self._places)
        for entry in entries:
            self._remove(entry)
        return entries

    def _expire(self, entry: Entry) -> None:
        entry.fail(deadline_error(entry.view, self._clock()))
        self._forget(entry)

    def _forget(self, entry: Entry) -> None:
        self._remove(entry)
        self._on_change()

    def _remove(self, entry: Entry) -> None:
        place = self._places.pop(entry)
        if place.timer is not None:
            place.timer.cancel()
        self._lines[place.line] -= 1
        self._line_tokens[place.line] -= entry.view.num_tokens
        if not self._lines[place.line]:
            del self._lines[place.line], self._line_tokens[place.line]
        self._num_tokens -= entry.view.num_tokens
        entry.future.on_cancel = None

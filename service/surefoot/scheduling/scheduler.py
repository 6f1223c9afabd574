"""The loop between callers and one backend: admit, wait, forward in batches, settle every entry exactly once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context

from surefoot.callers import NOBODY
from surefoot.domain import CacheUse, FaultKind, ForwardItem, ForwardResult, Priority
from surefoot.errors import (
    BackendFailed,
    InputTooLong,
    ItemError,
    ModelStopped,
    NotReady,
    RequestError,
    SettingsInvalid,
)
from surefoot.log_lines import with_fields
from surefoot.ports import Backend, Telemetry
from surefoot.scheduling.admission import Occupancy, admit, admit_in_time, tokens_ahead
from surefoot.scheduling.batching import WaitingView
from surefoot.scheduling.forward_pass import ForwardPass, run_pass
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.queue import Entry, EntryFuture, WaitingQueue
from surefoot.scheduling.settlement import Settlement, alike
from surefoot.scheduling.watchdog import is_stuck, look_every_s

__all__ = ["Scheduler", "SchedulerLimits"]

logger = logging.getLogger(__name__)


class Scheduler:
    """Batches the inputs of all callers of one backend, which runs in a thread of its own.

    Every method belongs to the event loop that `start` ran on. The backend is borrowed: closing it is its owner's
    duty, after `close` (which leaves a forward pass that outlasts its grace running in its thread).
    Raises `SettingsInvalid` if an input that the backend takes could never fit a batch.
    """

    def __init__(
        self,
        backend: Backend,
        limits: SchedulerLimits,
        telemetry: Telemetry,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_cached_scores: int = 0,
    ) -> None:
        if backend.max_input_tokens > limits.max_batch_tokens:
            raise SettingsInvalid(
                f"max_batch_tokens is {limits.max_batch_tokens}, but model {backend.name} takes inputs of "
                f"{backend.max_input_tokens} tokens; raise max_batch_tokens or lower the model's max_input_tokens",
                param="max_batch_tokens",
            )
        self._backend = backend
        self._limits = limits
        self._telemetry = telemetry
        self._clock = clock
        self._queue = WaitingQueue(clock, self._report_queue)
        self._wake = asyncio.Event()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"surefoot-{backend.name}")
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._fault: str | None = None
        self._faults: dict[FaultKind, int] = {"failed_pass": 0, "stuck_pass": 0, "stopped": 0}
        self._running: list[Entry] = []
        self._settlement = Settlement(backend.name, telemetry, clock, max_cached_scores)

    @property
    def is_accepting(self) -> bool:
        """Whether `submit_group` takes work: started, not closing, and without a `fault`."""
        return self._task is not None and not self._closing and self._fault is None

    @property
    def fault(self) -> str | None:
        """Why nothing can be computed, of which nobody here is the cause: a forward pass is stuck, the backend is lost
        or the loop crashed. Only a stuck pass may still end, and with it the fault."""
        return self._fault

    @property
    def faults(self) -> Mapping[FaultKind, int]:
        """How often passes failed or were stuck, and whether the loop has stopped though nobody closed it."""
        return self._faults

    @property
    def cache_use(self) -> CacheUse | None:
        """How full the score cache is; `None` without one."""
        return self._settlement.cache_use

    @property
    def limits(self) -> SchedulerLimits:
        """How much it takes at a time, and how much may wait."""
        return self._limits

    def snapshot(self) -> Occupancy:
        """How many inputs and tokens wait; those in the forward pass that runs now are not counted."""
        return self._queue.occupancy

    async def start(self) -> None:
        """Start the loop; idempotent. Raises `NotReady` once closed."""
        if self._closing:
            raise NotReady(f"model {self._backend.name} is shut down; load it again")
        if self._task is None:
            # It serves everybody: the request that may have had the model loaded must not stay on what it does.
            self._task = asyncio.create_task(self._run(), name=f"scheduler {self._backend.name}", context=Context())
            self._task.add_done_callback(self._stopped)

    def submit_group(
        self, items: Sequence[ForwardItem], *, priority: Priority, timeout_s: float | None, caller: str = NOBODY
    ) -> list[asyncio.Future[ForwardResult]]:
        """One future per item, in order; the group is accepted whole or not at all. Cancel a future to withdraw.
        Callers who have work waiting get equal shares of the model.

        Raises `NotReady` (not started, closing), `GroupTooLarge` or `QueueFull`. A future fails with an `ItemError`:
        `InputTooLong`, `DeadlineExceeded` (not begun after `timeout_s` seconds), `BackendFailed`, `StepCountMismatch`,
        `ModelStopped`.
        """
        if not self.is_accepting:
            state = self._fault or ("shutting down" if self._closing else "not started")
            raise NotReady(f"model {self._backend.name} is {state}; retry when /ready answers 200")
        max_tokens = self._backend.max_input_tokens
        entries = self._entries(items, priority, timeout_s, caller)
        fitting = [entry for entry in entries if entry.view.num_tokens <= max_tokens]
        waiting = [entry for entry in fitting if not self._settlement.knows(entry)]
        self._admit(waiting, priority, caller)
        for entry in entries:
            # Such an input could block the line's head for good, and its neighbours are not to blame.
            if entry.view.num_tokens > max_tokens:
                entry.fail(InputTooLong(entry.view.num_tokens, max_tokens))
        self._settlement.settle_known(fitting)
        self._queue.extend(waiting)
        self._wake.set()
        self._report_queue()
        return [entry.future for entry in entries]

    def check_room(self, num_tokens: int, *, priority: Priority, caller: str = NOBODY) -> None:
        """Raises `QueueFull` where work of about so many tokens, fewer rather than more, would be refused: before it is
        tokenised. What is remembered is not looked for: that would take its tokens."""
        try:
            ahead = tokens_ahead(self._queue.tokens_by_flow, (caller, priority), num_tokens)
            admit_in_time(ahead, priority, self._limits, self._settlement.tokens_per_s)
        except RequestError as error:
            self._telemetry.admission_refused(self._backend.name, error.code)
            raise

    def _admit(self, entries: Sequence[Entry], priority: Priority, caller: str) -> None:
        lengths = [entry.view.num_tokens for entry in entries]
        if not lengths:
            return
        try:
            admit(lengths, self._queue.occupancy, self._limits, self._settlement.tokens_per_s)
            ahead = tokens_ahead(self._queue.tokens_by_flow, (caller, priority), sum(lengths))
            admit_in_time(ahead, priority, self._limits, self._settlement.tokens_per_s)
        except RequestError as error:
            self._telemetry.admission_refused(self._backend.name, error.code)
            raise

    async def close(self, grace_s: float) -> None:
        """Refuse new work, let accepted work finish for `grace_s` seconds, fail the rest; idempotent."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=grace_s)
            self._task.cancel()
            await asyncio.wait({self._task})
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _entries(
        self, items: Sequence[ForwardItem], priority: Priority, timeout_s: float | None, caller: str
    ) -> list[Entry]:
        loop = asyncio.get_running_loop()
        now = self._clock()
        deadline = None if timeout_s is None else now + timeout_s
        return [
            Entry(
                item,
                EntryFuture(loop=loop),
                WaitingView(item.rendered.token_ids, priority, now, deadline, caller),
                self._settlement.key_of(item),
            )
            for item in items
        ]

    async def _run(self) -> None:
        while True:
            self._running = self._queue.take_batch(self._limits)
            self._report_queue()
            if self._running:
                # Some may have been computed for others while they waited.
                await self._forward_batch(self._settlement.settle_known(self._running))
            elif self._closing:
                return
            else:
                self._wake.clear()
                await self._wake.wait()

    async def _forward_batch(self, batch: list[Entry], *, is_retry: bool = False) -> None:
        """Compute a batch, equal inputs once. One that fails is halved until what fails is alone: so only that is lost,
        and what was too much at once for the memory goes through in parts."""
        distinct = alike(batch)
        if not distinct:
            return
        forward_pass = await self._forward([entries[0] for entries in distinct], is_retry=is_retry)
        if forward_pass.is_attributable or len(distinct) == 1:
            self._settlement.settle(distinct, forward_pass)
            return
        for half in (batch[: len(batch) // 2], batch[len(batch) // 2 :]):
            alive = [entry for entry in half if not entry.future.done() and not entry.expire_if_late(self._clock())]
            await self._forward_batch(self._settlement.settle_known(alive), is_retry=True)

    async def _forward(self, entries: list[Entry], *, is_retry: bool = False) -> ForwardPass:
        """One pass in the backend's thread. A failed batch has told its traceback; its retries do not repeat it.
        Raises `ModelStopped` where the backend did: it has nothing left to try."""
        items = tuple(entry.item for entry in entries)
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._executor, run_pass, self._backend, items, self._clock)
        forward_pass = await self._watched(running)
        if isinstance(forward_pass.failure, ModelStopped):
            raise forward_pass.failure
        if not forward_pass.is_attributable:
            self._faults["failed_pass"] += 1
            logger.error(
                "model %s: a forward pass of %d inputs with %d tokens gave %d results%s",
                self._backend.name,
                len(items),
                forward_pass.num_tokens,
                len(forward_pass.results),
                "; trying again in halves" if len(items) > 1 else "",
                exc_info=None if is_retry else forward_pass.failure,
                extra=with_fields(model=self._backend.name),
            )
        return forward_pass

    async def _watched(self, running: asyncio.Future[ForwardPass]) -> ForwardPass:
        """The pass when it has ended. One that is stuck blocks a thread, which nobody can end: its callers, and all
        who wait behind it, are told; should it end after all, the model takes work again."""
        began_at, stuck_after_s = self._clock(), self._limits.stuck_after_s
        try:
            while not (await asyncio.wait({running}, timeout=look_every_s(stuck_after_s)))[0]:
                if self._fault is None and is_stuck(began_at, self._clock(), stuck_after_s):
                    self._faults["stuck_pass"] += 1
                    self._fault = f"stuck: no forward pass finished in {stuck_after_s:g} s"
                    about = with_fields(model=self._backend.name)
                    logger.critical("model %s is %s", self._backend.name, self._fault, extra=about)
                    self._fail_all(ModelStopped, f"model {self._backend.name} is {self._fault}; send this again")
        finally:
            # The loop may be cancelled and closed before the pass ends, which then has nobody to report to.
            running.cancel()
        if self._fault is not None:
            self._fault = None
            took_s = self._clock() - began_at
            logger.warning(
                "model %s: the stuck pass ended after %.0f s; it takes work again", self._backend.name, took_s
            )
        return running.result()

    def _stopped(self, task: asyncio.Task[None]) -> None:
        """However the loop ended (drained, out of grace, crashed), nothing stays pending."""
        crash = None if task.cancelled() else task.exception()
        if crash is not None:
            self._fault = _said_of(crash)
            about = with_fields(model=self._backend.name)
            logger.critical("model %s stopped: %s", self._backend.name, self._fault, exc_info=crash, extra=about)
        elif not self._closing:
            self._fault = "stopped: the scheduler's loop was cancelled"
        if crash is not None or not self._closing:
            self._faults["stopped"] += 1
        self._closing = True
        if self._fault is None:
            self._fail_all(BackendFailed, "shutting down")
        else:
            self._fail_all(ModelStopped, f"model {self._backend.name} is {self._fault}; send this again")
        self._running = []

    def _fail_all(self, kind: type[ItemError], message: str) -> None:
        """Settle what runs and what waits."""
        for entry in (*self._running, *self._queue.drain()):
            entry.fail(kind(message))
        self._report_queue()

    def _report_queue(self) -> None:
        waiting = self._queue.occupancy
        self._telemetry.queue_changed(self._backend.name, waiting.num_requests, waiting.num_tokens)


def _said_of(crash: BaseException) -> str:
    # Messages of unforeseen errors may quote what was sent.
    if isinstance(crash, ModelStopped):
        return f"stopped: {crash.message}"
    return f"stopped: the scheduler's loop crashed ({type(crash).__name__}); see the server's log"

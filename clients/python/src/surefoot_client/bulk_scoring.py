"""`score_iter` of both clients, which inherit it from here."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable, Sequence
from concurrent.futures import CancelledError
from functools import partial
from typing import TypeVar

from surefoot_client import operations
from surefoot_client.bulk import Batch, BulkPlan, Item, OnError, Outcome, batches, batches_async, flat, flat_async
from surefoot_client.calls import Call
from surefoot_client.errors import SurefootError
from surefoot_client.inputs import Aggregation, Priority
from surefoot_client.progress import shown, shown_async

T = TypeVar("T")


class BulkScoring(ABC):
    """Scores streams with the calls of a blocking client."""

    _sleep: Callable[[float], None]

    @abstractmethod
    def _run(self, call: Call[T], pause: Callable[[float], None] | None = None) -> T: ...

    def score_iter(
        self,
        items: Iterable[Item],
        *,
        batch_size: int = 32,
        max_concurrent: int = 4,
        on_error: OnError = "raise",
        progress: bool = False,
        model: str | None = None,
        aggregation: Aggregation | None = None,
        threshold: float | None = None,
        timeout_s: float | None = None,
        priority: Priority | None = None,
        trace: bool | None = None,
        checks: Sequence[str] | None = None,
        combine_checks: bool | None = None,
    ) -> Generator[Outcome, None, None]:
        """Score a stream of any length: one `ItemResult` or `ItemFailure` per item, in order, `index` from 0 on.

        Sends `batch_size` items a request, `max_concurrent` requests at a time from threads of their own, and reads at
        most `batch_size · max_concurrent` items ahead of what has been taken; `items` itself is read in the caller's
        thread. A request that fails as a whole, retries included, raises its error after the outcomes before it, and
        no further request begins; `on_error="mark"` makes it an `ItemFailure` for each of its items and goes on.
        Positions in such an error count from its batch's first item. `progress` shows a bar where `tqdm` is installed.

        Closing the generator (or leaving it to be collected) stops the work: pauses end, nothing new is sent, and
        requests on the wire are waited for, because threads cannot be interrupted. `timeout_s` is for each request.
        """
        plan = BulkPlan(batch_size, max_concurrent, on_error)
        to_call = partial(
            operations.score,
            model=model,
            aggregation=aggregation,
            threshold=threshold,
            timeout_s=timeout_s,
            priority=priority,
            trace=trace,
            checks=checks,
            combine_checks=combine_checks,
        )
        stop = threading.Event()

        def answer(batch: Batch) -> list[Outcome]:
            try:
                return batch.placed(self._run(to_call(batch.items), partial(self._pause, stop)))
            except SurefootError as error:
                return plan.refused(batch, error)

        outcomes = flat(batches(items, batch_size), answer, max_concurrent, stop)
        return shown(outcomes, items) if progress else outcomes

    def _pause(self, stop: threading.Event, seconds: float) -> None:
        """Sleep that ends, and ends the call, when `stop` is set."""
        if self._sleep is time.sleep:
            stop.wait(seconds)
        else:
            self._sleep(seconds)
        if stop.is_set():
            raise CancelledError


class AsyncBulkScoring(ABC):
    """Scores streams with the calls of an asyncio client."""

    @abstractmethod
    def _run(self, call: Call[T]) -> Awaitable[T]: ...

    def score_iter(
        self,
        items: Iterable[Item] | AsyncIterable[Item],
        *,
        batch_size: int = 32,
        max_concurrent: int = 4,
        on_error: OnError = "raise",
        progress: bool = False,
        model: str | None = None,
        aggregation: Aggregation | None = None,
        threshold: float | None = None,
        timeout_s: float | None = None,
        priority: Priority | None = None,
        trace: bool | None = None,
        checks: Sequence[str] | None = None,
        combine_checks: bool | None = None,
    ) -> AsyncGenerator[Outcome, None]:
        """Score a stream of any length: one `ItemResult` or `ItemFailure` per item, in order, `index` from 0 on.

        As `SurefootClient.score_iter`, for plain and asynchronous iterables; a plain one that blocks holds up the
        event loop. An error and the end of the generator cancel the requests under way, which makes the server drop
        them: after a `break` that end comes with `aclose()`, best through `contextlib.aclosing`.
        """
        plan = BulkPlan(batch_size, max_concurrent, on_error)
        to_call = partial(
            operations.score,
            model=model,
            aggregation=aggregation,
            threshold=threshold,
            timeout_s=timeout_s,
            priority=priority,
            trace=trace,
            checks=checks,
            combine_checks=combine_checks,
        )

        async def answer(batch: Batch) -> list[Outcome]:
            try:
                return batch.placed(await self._run(to_call(batch.items)))
            except SurefootError as error:
                return plan.refused(batch, error)

        outcomes = flat_async(batches_async(items, batch_size), answer, max_concurrent)
        return shown_async(outcomes, items) if progress else outcomes

"""Bulk scoring without any input or output: items become batches, answers become one outcome per item, in order.

A window of at most `max_concurrent` batches is under way. A new batch is read only when all outcomes of the oldest one
have been taken, so at most `batch_size · max_concurrent` items are read ahead of the consumer.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Literal, TypeVar

from surefoot_client.errors import ServerError, SurefootError, TransportError
from surefoot_client.inputs import ScoreItem
from surefoot_client.scores import ItemFailure, ItemResult, ScoreResponse

B = TypeVar("B")
R = TypeVar("R")

Item = ScoreItem | Mapping[str, object]
Outcome = ItemResult | ItemFailure
OnError = Literal["raise", "mark"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Items of one request; `start` is the position of the first one in the whole stream."""

    start: int
    items: tuple[Item, ...]

    def placed(self, response: ScoreResponse) -> list[Outcome]:
        """The answer's outcomes with their positions in the whole stream."""
        return [_placed(result, self.start + result.index) for result in response.results]

    def failed(self, error: ServerError | TransportError) -> list[Outcome]:
        """One explicit failure per item of a request that got no answer."""
        return [_failure(self.start + offset, item, error) for offset, item in enumerate(self.items)]


@dataclass(slots=True)
class Batcher:
    """Cuts a stream of items into batches of `size`, the last one shorter."""

    size: int
    _start: int = 0
    _items: list[Item] = field(default_factory=list)

    def add(self, item: Item) -> Batch | None:
        """The batch that `item` completes, if it does."""
        self._items.append(item)
        return self.rest() if len(self._items) == self.size else None

    def rest(self) -> Batch | None:
        """What has come since the last batch; `None` for nothing."""
        if not self._items:
            return None
        batch = Batch(self._start, tuple(self._items))
        self._start += len(self._items)
        self._items = []
        return batch


@dataclass(frozen=True, slots=True)
class BulkPlan:
    """How a stream is scored; raises `ValueError` for values that cannot work."""

    batch_size: int
    max_concurrent: int
    on_error: OnError

    def __post_init__(self) -> None:
        for name in ("batch_size", "max_concurrent"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more")
        if self.on_error not in ("raise", "mark"):
            raise ValueError("on_error must be 'raise' or 'mark'")

    def refused(self, batch: Batch, error: SurefootError) -> list[Outcome]:
        """A request that failed as a whole: its items' failures, or the error itself."""
        if self.on_error == "mark" and isinstance(error, (ServerError, TransportError)):
            return batch.failed(error)
        raise error


def batches(items: Iterable[Item], size: int) -> Iterator[Batch]:
    """The stream as batches, each read when it is asked for."""
    batcher = Batcher(size)
    for item in items:
        if batch := batcher.add(item):
            yield batch
    if batch := batcher.rest():
        yield batch


async def batches_async(items: Iterable[Item] | AsyncIterable[Item], size: int) -> AsyncGenerator[Batch, None]:
    """`batches` of a plain or an asynchronous stream."""
    batcher = Batcher(size)
    if isinstance(items, AsyncIterable):
        async for item in items:
            if batch := batcher.add(item):
                yield batch
    else:
        for item in items:
            if batch := batcher.add(item):
                yield batch
    if batch := batcher.rest():
        yield batch


def in_order(
    source: Iterator[B], work: Callable[[B], R], max_concurrent: int, stop: threading.Event
) -> Generator[R, None, None]:
    """`work` of each, in the order of `source`, on at most `max_concurrent` threads.

    The first error, in that order, is raised. However it ends, `stop` is set, what has not begun never does, and what
    is under way is waited for, because a thread cannot be interrupted.
    """
    pool = ThreadPoolExecutor(max_concurrent, thread_name_prefix="surefoot-bulk")
    waiting: deque[Future[R]] = deque()
    try:
        while True:
            waiting.extend(pool.submit(work, each) for each in islice(source, max_concurrent - len(waiting)))
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


async def in_order_async(
    source: AsyncIterator[B], work: Callable[[B], Awaitable[R]], max_concurrent: int
) -> AsyncGenerator[R, None]:
    """`work` of each, in the order of `source`, at most `max_concurrent` at a time.

    The first error, in that order, is raised. However it ends, what is under way is cancelled.
    """
    waiting: deque[asyncio.Future[R]] = deque()
    more = True
    try:
        while True:
            while more and len(waiting) < max_concurrent:
                each = await anext(source, None)
                more = each is not None
                if each is not None:
                    waiting.append(asyncio.ensure_future(work(each)))
            if not waiting:
                return
            result = await waiting[0]
            waiting.popleft()
            yield result
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def flat(
    source: Iterator[Batch], work: Callable[[Batch], list[Outcome]], max_concurrent: int, stop: threading.Event
) -> Generator[Outcome, None, None]:
    """The outcomes of all batches one by one; closing it ends what stands behind it."""
    with closing(in_order(source, work, max_concurrent, stop)) as answered:
        for outcomes in answered:
            yield from outcomes


async def flat_async(
    source: AsyncGenerator[Batch, None], work: Callable[[Batch], Awaitable[list[Outcome]]], max_concurrent: int
) -> AsyncGenerator[Outcome, None]:
    """The outcomes of all batches one by one; closing it closes all that stands behind it."""
    async with aclosing(source), aclosing(in_order_async(source, work, max_concurrent)) as answered:
        async for outcomes in answered:
            for outcome in outcomes:
                yield outcome


def _placed(result: Outcome, index: int) -> Outcome:
    json = {**result.to_dict(), "index": index}
    return replace(result, index=index, _json=json)


def _failure(index: int, item: Item, error: ServerError | TransportError) -> ItemFailure:
    item_id = item.id if isinstance(item, ScoreItem) else item.get("id")
    item_id = item_id if isinstance(item_id, str) else None
    said: dict[str, Any] = {"index": index, "error": {"code": error.code, "message": error.message}}
    if item_id is not None:
        said["id"] = item_id
    return ItemFailure(index, error, item_id, _json=said)

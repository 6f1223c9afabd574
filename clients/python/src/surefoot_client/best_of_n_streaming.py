"""`best_of_n_stream` of both clients, which inherit it from here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, aclosing
from typing import NoReturn, TypeVar

import httpx

from surefoot_client import operations
from surefoot_client.best_of_n_events import BestOfNEvent, BestOfNReader
from surefoot_client.calls import Call, Reply
from surefoot_client.exchange import Answer, Attempt, begin
from surefoot_client.inputs import EarlyStop, Messages
from surefoot_client.settings import Settings

T = TypeVar("T")


class BestOfNStreaming(ABC):
    """Streams with the connections of a blocking client."""

    _settings: Settings
    _sleep: Callable[[float], None]

    @abstractmethod
    def _open(self, attempt: Attempt[T]) -> AbstractContextManager[httpx.Response]: ...

    @abstractmethod
    def _whole(self, attempt: Attempt[T], response: httpx.Response) -> Reply: ...

    def best_of_n_stream(
        self,
        problem_or_messages: str | Messages,
        *,
        sampling: Mapping[str, object] | None = None,
        ranking: Mapping[str, object] | None = None,
        early_stop: EarlyStop | Mapping[str, object] | None = None,
    ) -> Generator[BestOfNEvent, None, None]:
        """`best_of_n` as it happens: a `CandidateEvent` and a `ScoreEvent` for each candidate, last a `ResultEvent`.

        A stream that ends without its result raises, after the events before it: the error's own class where the
        server says what failed, else a `TransportError`. What is refused before the first event is tried again like
        `best_of_n`; a stream that has begun never is. Closing the generator (or leaving it to be collected) closes the
        connection, which makes the server drop the work.

        `sampling_timeout_s` is the time of the whole stream, the caller's own between events included; a server that
        falls silent is given up after that much silence at the latest.
        """
        call = operations.best_of_n_stream(
            problem_or_messages, sampling=sampling, ranking=ranking, early_stop=early_stop
        )
        return self._events(call)

    def _events(self, call: Call[NoReturn]) -> Generator[BestOfNEvent, None, None]:
        step: Attempt[NoReturn] | Answer[NoReturn] = begin(call, self._settings)
        while isinstance(step, Attempt):
            if step.pause_s:
                self._sleep(step.pause_s)
            outcome: Reply | httpx.RequestError
            try:
                with self._open(step) as response:
                    if response.is_success:
                        yield from _events_of(step, response)
                        return
                    outcome = self._whole(step, response)
            except httpx.RequestError as failure:
                outcome = failure
            step = step.after(outcome)


class AsyncBestOfNStreaming(ABC):
    """Streams with the connections of an asyncio client."""

    _settings: Settings
    _sleep: Callable[[float], Awaitable[None]]

    @abstractmethod
    def _open(self, attempt: Attempt[T]) -> AbstractAsyncContextManager[httpx.Response]: ...

    @abstractmethod
    async def _whole(self, attempt: Attempt[T], response: httpx.Response) -> Reply: ...

    def best_of_n_stream(
        self,
        problem_or_messages: str | Messages,
        *,
        sampling: Mapping[str, object] | None = None,
        ranking: Mapping[str, object] | None = None,
        early_stop: EarlyStop | Mapping[str, object] | None = None,
    ) -> AsyncGenerator[BestOfNEvent, None]:
        """`best_of_n` as it happens: a `CandidateEvent` and a `ScoreEvent` for each candidate, last a `ResultEvent`.

        As `SurefootClient.best_of_n_stream`. After a `break` the connection closes with `aclose()`, best through
        `contextlib.aclosing`; cancelling the task that reads closes it too.
        """
        call = operations.best_of_n_stream(
            problem_or_messages, sampling=sampling, ranking=ranking, early_stop=early_stop
        )
        return self._events(call)

    async def _events(self, call: Call[NoReturn]) -> AsyncGenerator[BestOfNEvent, None]:
        step: Attempt[NoReturn] | Answer[NoReturn] = begin(call, self._settings)
        while isinstance(step, Attempt):
            if step.pause_s:
                await self._sleep(step.pause_s)
            outcome: Reply | httpx.RequestError
            try:
                async with self._open(step) as response:
                    if response.is_success:
                        async with aclosing(_events_of_async(step, response)) as events:
                            async for event in events:
                                yield event
                        return
                    outcome = await self._whole(step, response)
            except httpx.RequestError as failure:
                outcome = failure
            step = step.after(outcome)


def _events_of(attempt: Attempt[NoReturn], response: httpx.Response) -> Generator[BestOfNEvent, None, None]:
    with attempt.in_stream():
        reader = BestOfNReader(response.headers.get("content-type", ""))
        for chunk in response.iter_bytes():
            yield from reader.read(chunk)
            if reader.is_complete:
                return
            attempt.check_time()
        reader.check_complete()


async def _events_of_async(attempt: Attempt[NoReturn], response: httpx.Response) -> AsyncGenerator[BestOfNEvent, None]:
    with attempt.in_stream():
        reader = BestOfNReader(response.headers.get("content-type", ""))
        async for chunk in response.aiter_bytes():
            for event in reader.read(chunk):
                yield event
            if reader.is_complete:
                return
            attempt.check_time()
        reader.check_complete()

"""Server-sent events (WHATWG HTML, section 9.2) that end with the work, with the client, or with an error."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from surefoot.api.disconnect import timed_out, while_connected
from surefoot.api.errors import STATUS, error_response
from surefoot.errors import RequestTimeout, SurefootError
from surefoot.log_lines import log_origin

log = logging.getLogger(__name__)

Value = TypeVar("Value")
_LAST_WORDS_S = 5.0
"""Seconds that a client has to read the last event after the time is over."""
_KEEP_ALIVE_S = 15.0
"""Seconds of silence before a comment; fewer cost bytes, more let proxies with short timeouts hang up."""
_KEEP_ALIVE = ": keep-alive\n\n"


class EventStream(StreamingResponse, Generic[Value]):
    """Streams `first` and what follows it; `view` gives an event's name, where it has one, and its data on one line.

    What fails after the beginning is an event named `error_name` with the native error body. A comment breaks every
    silence of `keep_alive_s` seconds. When the client leaves, or the response is given up, `following` is closed, and
    the work behind it has stopped when the response ends.
    """

    def __init__(
        self,
        first: Value,
        following: AsyncGenerator[Value, None],
        view: Callable[[Value], tuple[str | None, str]],
        *,
        timeout_s: float,
        count_error: Callable[[str], None],
        error_name: str | None = "error",
        keep_alive_s: float = _KEEP_ALIVE_S,
    ) -> None:
        self._following = following
        self._view = view
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._count_error = count_error
        self._error_name = error_name
        self._keep_alive_s = keep_alive_s
        self._body = self._lines(first)
        # Proxies must neither keep the answer nor wait for more of it.
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(self._body, headers=headers, media_type="text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left_s = self._deadline - time.monotonic() + _LAST_WORDS_S
        try:
            # Nobody is left to be told of it; a client that does not read is cut off.
            with suppress(ClientDisconnect, RequestTimeout):
                await while_connected(Request(scope, receive), self.stream_response(send), timeout_s=left_s)
        finally:
            await self._body.aclose()
            await self._following.aclose()

    async def _lines(self, first: Value) -> AsyncGenerator[str, None]:
        event: Value | None = first
        try:
            while event is not None:
                yield _encoded(*self._view(event))
                pull = asyncio.create_task(self._next())
                try:
                    while not await self._has_come(pull):
                        yield _KEEP_ALIVE
                    event = pull.result()
                finally:
                    # What is still being waited for would keep `following` from being closed.
                    pull.cancel()
                    await asyncio.gather(pull, return_exceptions=True)
        except Exception as error:  # noqa: BLE001  the status is out: an event is the only way to say it
            yield _encoded(self._error_name, self._error_body(error))

    async def _next(self) -> Value | None:
        return await anext(self._following, None)

    async def _has_come(self, pull: asyncio.Task[Value | None]) -> bool:
        """Whether the next event is there before the silence lasts too long. Raises `RequestTimeout`."""
        left_s = self._deadline - time.monotonic()
        await asyncio.wait({pull}, timeout=max(0.0, min(left_s, self._keep_alive_s)))
        if not pull.done() and time.monotonic() >= self._deadline:
            raise timed_out(self._timeout_s)
        return pull.done()

    def _error_body(self, error: Exception) -> str:
        if isinstance(error, SurefootError):
            code, message, param = error.code, error.message, error.param
        else:
            log_origin(log, "a stream failed", error)
            code, message, param = "internal_error", "an unexpected error; the log has it", None
        self._count_error(code)
        return bytes(error_response(STATUS.get(code, 500), code, message, param=param).body).decode()


def _encoded(name: str | None, data: str) -> str:
    return f"data: {data}\n\n" if name is None else f"event: {name}\ndata: {data}\n\n"

"""Stopping without losing work: what was accepted is finished, what comes after is told to come back elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from surefoot.api.errors import error_response
from surefoot.errors import NotReady


class Drain:
    """Counts the work under way; after `begin` no more is let in, and when `is_over` the process may end."""

    def __init__(self, grace_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._grace_s = grace_s
        self._clock = clock
        self._num_running = 0
        self._deadline: float | None = None
        self._expired = asyncio.Event()

    @property
    def has_begun(self) -> bool:
        return self._deadline is not None

    @property
    def is_over(self) -> bool:
        """Whether draining has begun and all accepted work is answered."""
        return self.has_begun and self._num_running == 0

    def begin(self) -> None:
        """Let nothing more in. A second call changes nothing."""
        if self._deadline is None:
            self._deadline = self._clock() + self._grace_s

    def check_time(self) -> None:
        """Once the grace is used up, end the wait of everything in `expiry`. To be called now and then."""
        if self._deadline is not None and self._clock() >= self._deadline:
            self._expired.set()

    async def expiry(self) -> None:
        """Returns when accepted work may take no longer."""
        await self._expired.wait()

    def enter(self) -> None:
        """A request has been accepted."""
        self._num_running += 1

    def leave(self) -> None:
        """It has been answered, or its client has left."""
        self._num_running -= 1


def _drain(request: Request) -> Drain:
    drain: Drain = request.app.state.drain
    return drain


Stopping = Annotated[Drain, Depends(_drain)]


class Gate:
    """Refuses new work while draining; probes and metrics are answered to the end."""

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self._app = app
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # What asks for work is posted; /health, /ready, /metrics and /v1/models are read.
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if self._drain.has_begun:
            await _refuse("the service is stopping; send this to another replica", scope, receive, send)
            return
        self._drain.enter()
        try:
            await self._run(scope, receive, send)
        finally:
            self._drain.leave()

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_answered = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_answered
            has_answered = True
            await send(message)

        work = asyncio.ensure_future(self._app(scope, receive, send_and_note))
        expiry = asyncio.ensure_future(self._drain.expiry())
        try:
            await asyncio.wait({work, expiry}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
                return
        finally:
            work.cancel()
            expiry.cancel()
            await asyncio.gather(work, expiry, return_exceptions=True)
        if not has_answered:
            await _refuse("the service stopped before this was done; send it to another replica", scope, receive, send)


async def _refuse(said: str, scope: Scope, receive: Receive, send: Send) -> None:
    response = error_response(503, NotReady.code, said, path=scope["path"])
    response.headers["connection"] = "close"
    await response(scope, receive, send)

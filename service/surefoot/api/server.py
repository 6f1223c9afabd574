"""uvicorn, set up for this service."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from surefoot.api.drain import Drain
from surefoot.api.unfinished_heads import UnfinishedHeads

log = logging.getLogger(__name__)

_KEEP_ALIVE_S = 75
"""Seconds that an idle connection stays open: longer than clients and proxies keep theirs (httpx 5 s, most 60 s),
since who closes first must be the one that sends. A request on its way meets a closed connection otherwise."""

_TICKS_A_SECOND = 10
"""Of uvicorn's `on_tick`."""

_LAST_ANSWERS_S = 2
"""Seconds that uvicorn waits for the last bytes to be sent; everything accepted has its answer by then."""


async def _nothing_to_read() -> None:
    """For services without a configuration file."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a server asks and tells: `fault` says why the service cannot go on (`None` while it can), ten times a
    second; `stopping` is called when everything accepted is answered; `head_timeout_s` is how long a connection may
    take to send the head of a request; `reread` answers SIGHUP, one at a time."""

    fault: Callable[[], str | None] = lambda: None
    stopping: Callable[[], None] = lambda: None
    head_timeout_s: Callable[[], float] = lambda: math.inf
    reread: Callable[[], Awaitable[None]] = _nothing_to_read


class Server(uvicorn.Server):
    """Drains on SIGTERM and SIGINT, and ends; drains and ends too, with `has_failed`, when the service has a fault.

    uvicorn alone stops listening at once, so that new callers meet a closed port, and raises the signal again at the
    end. A second signal ends without waiting for the drain, a third at once.
    """

    def __init__(self, app: ASGIApp, drain: Drain, hooks: Hooks | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                # An access log would hold query strings.
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_LAST_ANSWERS_S,
                timeout_keep_alive=_KEEP_ALIVE_S,
            )
        )
        self._drain = drain
        self._hooks = hooks or Hooks()
        self._is_told_to_read = False
        self._reading: asyncio.Task[None] | None = None
        self._heads = UnfinishedHeads()
        self.has_failed = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal begins the drain; `on_tick` ends it."""
        if self._drain.has_begun:
            super().handle_exit(sig, frame)
        else:
            self._drain.begin()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop."""
        if not self._drain.has_begun and (fault := self._hooks.fault()) is not None:
            log.critical("%s; answering whoever waits, then ending", fault)
            self.has_failed = True
            self._drain.begin()
        self._drain.check_time()
        if counter % _TICKS_A_SECOND == 0:
            self._hang_up_on_unfinished_heads()
        if self._drain.is_over:
            self.should_exit = True
        if self._is_told_to_read and (self._reading is None or self._reading.done()):
            self._is_told_to_read = False
            self._reading = asyncio.create_task(self._reread())
        return await super().on_tick(counter)

    def _hang_up_on_unfinished_heads(self) -> None:
        now, limit_s = time.monotonic(), self._hooks.head_timeout_s()
        for connection in self._heads.overdue(list(self.server_state.connections), now, limit_s):
            connection.transport.close()

    async def _reread(self) -> None:
        try:
            await self._hooks.reread()
        except Exception:
            log.exception("reading the configuration again failed")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does, after telling that it begins."""
        self._hooks.stopping()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGINT, SIGTERM and SIGHUP, and do not raise them again afterwards."""
        handlers = {
            signal.SIGINT: self.handle_exit,
            signal.SIGTERM: self.handle_exit,
            signal.SIGHUP: self._handle_hangup,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle_hangup(self, _sig: int, _frame: FrameType | None) -> None:
        self._is_told_to_read = True

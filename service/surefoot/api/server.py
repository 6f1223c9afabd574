"""uvicorn, set up for this service."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from surefoot.api.drain import Drain

_LAST_ANSWERS_S = 2
"""Seconds that uvicorn waits for the last bytes to be sent; everything accepted has its answer by then."""


class Server(uvicorn.Server):
    """Drains on SIGTERM and SIGINT, then ends with status 0.

    uvicorn alone stops listening at once, so that new callers meet a closed port, and raises the signal again at the
    end. A second signal ends without waiting for the drain, a third at once.
    """

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                # An access log would hold query strings.
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_LAST_ANSWERS_S,
            )
        )
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal begins the drain; `on_tick` ends it."""
        if self._drain.has_begun:
            super().handle_exit(sig, frame)
        else:
            self._drain.begin()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop."""
        self._drain.check_time()
        if self._drain.is_over:
            self.should_exit = True
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGINT and SIGTERM, and do not raise them again afterwards."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

"""uvicorn, set up for this service."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


class Server(uvicorn.Server):
    """Ends with status 0 after a stop that was asked for: uvicorn raises the signal again when it has finished."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop gracefully on SIGINT and SIGTERM, at once on a second SIGINT."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def server_config(app: ASGIApp, shutdown_grace_s: float) -> uvicorn.Config:
    """uvicorn's configuration: our logging, no access log (it would hold query strings), bounded shutdown."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=round(shutdown_grace_s),
    )

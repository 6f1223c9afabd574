"""One event loop for all rewards of a process, on a thread of its own, and the clients that live on it.

Trainers call from several threads, or from event loops that come and go; connections stay with the loop that opened
them. The thread is a daemon, so that an interrupted training ends at once, even while a server is waited for.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from concurrent import futures
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

from surefoot_client.async_client import AsyncSurefootClient

T = TypeVar("T")

PATIENCE_S = 1800.0
"""How long a reward is waited for: a server that is restarted reads its models for minutes."""

LONGEST_SILENCE_S = 300.0
"""After it a request is sent again: its server may have died without a word."""

_making = threading.Lock()


async def in_background(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns or raises, run on the loop of rewards; cancelling it cancels `work`."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _loop()))


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """`in_background` for callers that block."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()


def patient_client(servers: str | tuple[str, ...]) -> AsyncSurefootClient:
    """The client of these servers for work in the background, the same at every call.

    It waits half an hour for a server that is away; the API key is that of the environment.
    """
    with _making:
        return _client_of(servers, os.getpid())


def _loop() -> asyncio.AbstractEventLoop:
    with _making:
        return _loop_of(os.getpid())


# By process: a fork has neither the thread nor connections of its own.
@cache
def _loop_of(process: int) -> asyncio.AbstractEventLoop:  # noqa: ARG001
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="surefoot-rewards", daemon=True).start()
    return loop


@cache
def _client_of(servers: str | tuple[str, ...], process: int) -> AsyncSurefootClient:
    client = AsyncSurefootClient(
        servers, timeout_s=PATIENCE_S, attempt_timeout_s=LONGEST_SILENCE_S, max_retries=1_000_000
    )
    atexit.register(_close, client, process)
    return client


def _close(client: AsyncSurefootClient, process: int) -> None:
    """Hang up at the end of the process that opened the connections; what is under way is not waited for."""
    if os.getpid() == process:
        with suppress(futures.TimeoutError):
            asyncio.run_coroutine_threadsafe(client.aclose(), _loop()).result(1.0)

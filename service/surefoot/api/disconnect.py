"""Work stops when nobody waits for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from surefoot.errors import RequestTimeout

Result = TypeVar("Result")


async def while_connected(request: Request, work: Coroutine[Any, Any, Result], *, timeout_s: float) -> Result:
    """The result of `work`, which is cancelled when the client leaves or the time is over.

    Raises `ClientDisconnect` or `RequestTimeout`; either way the cancellation has reached the engines before.
    """
    task = asyncio.ensure_future(work)
    watcher = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({task, watcher}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        if watcher.done():
            raise ClientDisconnect
        raise timed_out(timeout_s)
    finally:
        task.cancel()
        watcher.cancel()
        await asyncio.gather(task, watcher, return_exceptions=True)


def timed_out(timeout_s: float) -> RequestTimeout:
    """The error of a request that had `timeout_s` seconds in all."""
    return RequestTimeout(
        f"the request took longer than {timeout_s:g} s; send less at once, or raise request_timeout_s"
    )


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

"""Groups over HTTP, so many at a time, timed one by one."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence

import httpx
import psutil

from loadtests.peer import Group, Scores

Ask = Callable[[httpx.AsyncClient, Group], Awaitable[Scores]]

START_LIMIT_S = 300.0


def score_over_http(ask: Ask, url: str, wave: Sequence[Group], concurrency: int) -> tuple[list[Scores], list[float]]:
    """What `ask` finds for each group, and the seconds that each took."""

    async def timed(client: httpx.AsyncClient, gate: asyncio.Semaphore, group: Group) -> tuple[Scores, float]:
        async with gate:
            began = time.perf_counter()
            return await ask(client, group), time.perf_counter() - began

    async def all_groups() -> list[tuple[Scores, float]]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx.AsyncClient(base_url=url, timeout=None, limits=limits) as client:  # noqa: S113  measured whole
            gate = asyncio.Semaphore(concurrency or len(wave))
            return await asyncio.gather(*(timed(client, gate, group) for group in wave))

    found = asyncio.run(all_groups())
    return [scores for scores, _ in found], [took for _, took in found]


def wait_until_up(process: subprocess.Popen[bytes], url: str) -> None:
    """Until `url` answers 200. Raises `RuntimeError` where the server ends before or takes too long."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the server ended while it started")
        try:
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise RuntimeError(f"the server was not up within {START_LIMIT_S:.0f} s")


def family_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """A server with the processes that it has started."""
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]

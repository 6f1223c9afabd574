"""Groups over HTTP, so many at a time, timed one by one."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import httpx

from loadtests.comparison.peer import Group, Scores, answer_runs
from loadtests.servers.processes import family_of, wait_until_up

Ask = Callable[[httpx.AsyncClient, Group], Awaitable[Scores]]


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


def answer_over_http(
    command: Sequence[str],
    environment: Mapping[str, str],
    port: int,
    ready: str,
    ask: Ask,
    *,
    forward_metric: str | None = None,
) -> None:
    """Start a server, answer runs with it once its path `ready` does, and stop it. It logs to standard error. The
    metric, if its /metrics has one, sums up the seconds of its forward passes."""
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=sys.stderr, env=os.environ | environment) as server:  # noqa: S603
        try:
            wait_until_up(server, f"{url}{ready}")
            answer_runs(
                partial(score_over_http, ask, url), lambda: family_of(server), partial(_metric, url, forward_metric)
            )
        finally:
            server.terminate()


def _metric(url: str, name: str | None) -> float | None:
    """The sum of a metric over its labels."""
    if name is None:
        return None
    lines = httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))

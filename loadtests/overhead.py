"""`python -m loadtests.overhead`: what HTTP, checks, tokenisation and scheduling cost beside the forward pass.

At saturation: the CPU time of all threads of the server but the busiest, as many as compute a pass, in relation to that
of those. Of a single request: the time of one that the score cache answers, so that no pass is in it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Annotated

import httpx
import psutil
import typer

from loadtests.servers.surefoot_server import SCORER, score_body, surefoot_server
from loadtests.workloads import Group, workload

SMALL = Group("Tom has 3 apples and buys 4 more. How many has he?", (("3 + 4 = 7 apples.", "The answer is 7."),))


def main(
    seconds: Annotated[float, typer.Option(help="At saturation.")] = 60.0,
    callers: Annotated[int, typer.Option(help="Requests under way at a time.")] = 8,
    repeats: Annotated[int, typer.Option(help="Of the single request.")] = 400,
    threads: Annotated[int, typer.Option(min=1, help="Of a pass.")] = os.cpu_count() or 1,
) -> None:
    """Print both."""
    with surefoot_server(SCORER, {"OMP_NUM_THREADS": str(threads)}) as server:
        process = psutil.Process(server.process.pid)
        alone = asyncio.run(_single(server.url, repeats))
        cuts = quantiles(alone, n=100)
        typer.echo(f"a small request without a pass: p50 {1e3 * cuts[49]:.2f} ms, p95 {1e3 * cuts[94]:.2f} ms")
        before = _cpu_of_threads(process)
        began = time.perf_counter()
        candidates = asyncio.run(_saturated(server.url, seconds, callers))
        rate = candidates / (time.perf_counter() - began)  # the last answers come after `seconds`
        spent = _difference(_cpu_of_threads(process), before)
    inside, outside = sum(spent[:threads]), sum(spent[threads:])
    typer.echo(f"at saturation: {rate:.1f} candidates/s; CPU time of the {threads} threads of the pass")
    typer.echo(f"{inside:.1f} s, of {len(spent) - threads} others {outside:.2f} s: {outside / inside:.1%}")


async def _single(url: str, repeats: int) -> list[float]:
    """Seconds of each repeat of a request whose scores are known."""
    found = []
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        for number in range(repeats + 20):
            began = time.perf_counter()
            (await client.post("/score", json=score_body(SMALL.problem, SMALL.candidates))).raise_for_status()
            if number >= 20:  # the first ones compute it, open the connection and warm up
                found.append(time.perf_counter() - began)
    return found


async def _saturated(url: str, seconds: float, callers: int) -> int:
    """How many candidates were scored by callers that ask again as soon as they are answered."""
    groups = workload("W1", 1, "").waves[0]
    until, scored = time.monotonic() + seconds, 0

    async def caller(number: int) -> None:
        nonlocal scored
        sent = 0
        async with httpx.AsyncClient(base_url=url, timeout=None) as client:  # noqa: S113  measured whole
            while time.monotonic() < until:
                group = groups[(number + callers * sent) % len(groups)]
                body = score_body(f"[{number} {sent} {time.time_ns()}] {group.problem}", group.candidates)
                (await client.post("/score", json=body)).raise_for_status()
                sent, scored = sent + 1, scored + len(group.candidates)

    await asyncio.gather(*(caller(number) for number in range(callers)))
    return scored


def _cpu_of_threads(process: psutil.Process) -> Mapping[int, float]:
    return {thread.id: thread.user_time + thread.system_time for thread in process.threads()}


def _difference(after: Mapping[int, float], before: Mapping[int, float]) -> Sequence[float]:
    """Seconds that each thread has worked meanwhile, the busiest first."""
    return sorted((spent - before.get(thread, 0.0) for thread, spent in after.items()), reverse=True)


if __name__ == "__main__":
    typer.run(main)

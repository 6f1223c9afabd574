"""`python -m loadtests.soak --minutes 30`: overload with faults, and whether anything is lost and memory stays flat.

Callers send more than the server can compute: groups of candidates, some of them bulk, some with deadlines that are too
short. A share hangs up midway, sends what is no request, or stops sending halfway through a body. Every request that
is not given up must be answered, with scores or with an error that the API promises; at the end nothing may be waiting.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from statistics import fmean
from typing import Annotated, Any

import httpx
import psutil
import typer

from loadtests.servers.processes import family_of
from loadtests.servers.surefoot_server import SCORER, SurefootServer, score_body, surefoot_server
from loadtests.workloads import Group, workload

PREFIX_MIB = 256
CONFIG = f"""{SCORER}
[scheduler]
max_queue_tokens = 60000

[caches]
prefix_mib = {PREFIX_MIB}
"""
_WAITING = ("surefoot_queue_requests{", "surefoot_queue_tokens{")
PROMISED = {200, 400, 408, 413, 415, 422, 429, 503, 504}
PATIENCE_S = 310
"""More than `limits.request_timeout_s`: until then the server may still say that the time is over."""
FLAT, WITHIN = 1.05, 1.2
"""Times the resident set of the middle third that that of the last may be, and times that of the start with the
configured budget that the peak may be."""


class Soak:
    """The callers, and what became of their requests."""

    def __init__(self, url: str, groups: list[Group], until: float) -> None:
        self.url = url
        self.groups = groups
        self.until = until
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []

    async def run(self, callers: int) -> None:
        """All callers until the time is over."""
        await asyncio.gather(*(self._caller(number) for number in range(callers)))

    async def _caller(self, number: int) -> None:
        rng = random.Random(number)  # noqa: S311  no secret
        headers = {"authorization": f"Bearer caller-{number % 5}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=PATIENCE_S) as client:
            while time.monotonic() < self.until:
                act = rng.choices((self._score, self._hang_up, self._nonsense, self._half_a_body), (80, 12, 6, 2))[0]
                try:
                    await act(client, rng)
                except httpx.TransportError as error:
                    self.answers["connection failed"] += 1
                    self.wrong.append(f"{act.__name__}: {type(error).__name__}")

    def _body(self, rng: random.Random) -> dict[str, Any]:
        group = rng.choice(self.groups)
        salt = f"[{rng.random()}] " if rng.random() < 0.7 else ""
        body = score_body(salt + group.problem, group.candidates)
        if rng.random() < 0.3:
            body["priority"] = "bulk"
        if rng.random() < 0.2:
            body["timeout_s"] = rng.choice((0.01, 1.0, 30.0))
        return body

    async def _score(self, client: httpx.AsyncClient, rng: random.Random) -> None:
        body = self._body(rng)
        response = await client.post("/score", json=body)
        self._note(response, body)
        if response.status_code in (429, 503):
            await asyncio.sleep(min(float(response.headers.get("retry-after", 1)), 5.0) * rng.random())

    def _note(self, response: httpx.Response, body: dict[str, Any]) -> None:
        self.answers[str(response.status_code)] += 1
        if response.status_code not in PROMISED:
            self.wrong.append(f"{response.status_code}: {response.text[:200]}")
        if response.status_code != 200:
            return
        results = response.json()["results"]
        if len(results) != len(body["items"]):
            self.wrong.append(f"{len(results)} results for {len(body['items'])} items")
        for item, result in zip(body["items"], results, strict=False):
            error = result.get("error")
            if error is not None:
                self.answers[f"item {error['code']}"] += 1
            elif len(result["steps"]) != len(item["steps"]):
                self.wrong.append("another number of steps than was sent")

    async def _hang_up(self, client: httpx.AsyncClient, rng: random.Random) -> None:
        asked = asyncio.create_task(client.post("/score", json=self._body(rng)))
        await asyncio.wait({asked}, timeout=rng.random() * 2)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        self.answers["hung up"] += 1

    async def _nonsense(self, client: httpx.AsyncClient, rng: random.Random) -> None:
        content = rng.choice((b"", b"{", b'{"items": 3}', b"\xff" * 50, json.dumps({"items": [{}]}).encode()))
        response = await client.post("/score", content=content, headers={"content-type": "application/json"})
        self.answers[f"nonsense {response.status_code}"] += 1
        if response.status_code >= 500 or response.status_code == 200:
            self.wrong.append(f"{response.status_code} for nonsense")

    async def _half_a_body(self, _client: httpx.AsyncClient, rng: random.Random) -> None:
        host, port = self.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n" + b'{"items": [')
        await writer.drain()
        await asyncio.sleep(rng.random() * 3)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
        del reader
        self.answers["half a body"] += 1


def main(
    minutes: Annotated[float, typer.Option(help="How long.")] = 30.0,
    callers: Annotated[int, typer.Option(help="Requests under way at a time.")] = 48,
    pauses: Annotated[bool, typer.Option(help="Stop the server's process for a second now and then.")] = True,
) -> None:
    """Overload a real server, with faults; exits with 1 where anything is lost or memory grows."""
    with surefoot_server(CONFIG) as server:
        report = asyncio.run(_soak(server, minutes, callers, pauses=pauses))
        server.process.send_signal(signal.SIGTERM)
        report["exit_code"] = server.process.wait(timeout=60)
        report["tracebacks"] = server.log.read_text(errors="replace").count("Traceback")
    typer.echo(json.dumps(report, indent=1))
    kept = report["flat"] and report["peak_over_start_and_budget"] <= WITHIN
    if report["wrong"] or report["tracebacks"] or report["waiting"] or report["exit_code"] or not kept:
        raise typer.Exit(1)


async def _soak(server: SurefootServer, minutes: float, callers: int, *, pauses: bool) -> dict[str, Any]:
    groups = [group for name in ("W1", "W3") for group in workload(name, 1, "", 0.25).waves[0]]
    began = time.monotonic()
    soak = Soak(server.url, groups, began + 60 * minutes)
    at_start, memory = _resident_mib(server), []
    running = asyncio.create_task(soak.run(callers))
    while not running.done():
        await asyncio.wait({running}, timeout=5)
        memory.append(_resident_mib(server))
        if pauses and random.random() < 0.02:  # noqa: S311  no secret
            os.kill(server.process.pid, signal.SIGSTOP)
            await asyncio.sleep(1)
            os.kill(server.process.pid, signal.SIGCONT)
    await running
    await asyncio.sleep(5)
    metrics = (await asyncio.to_thread(httpx.get, f"{server.url}/metrics")).text
    third = max(1, len(memory) // 3)
    middle, last = fmean(memory[third : 2 * third] or memory), fmean(memory[-third:])
    return {
        "minutes": round((time.monotonic() - began) / 60, 1),
        "answers": dict(soak.answers.most_common()),
        "wrong": soak.wrong[:20],
        "waiting": _waiting(metrics),
        "resident_mib": {"at start": at_start, "middle third": middle, "last third": last, "peak": max(memory)},
        "peak_over_start_and_budget": max(memory) / (at_start + PREFIX_MIB),
        "flat": last <= FLAT * middle,
        "cpu_s": sum(psutil.Process(server.process.pid).cpu_times()[:2]),
    }


def _resident_mib(server: SurefootServer) -> float:
    """Of the server with what it has started."""
    return sum(each.memory_info().rss for each in family_of(server.process)) / 2**20


def _waiting(metrics: str) -> float:
    """What the queues hold at the end, inputs."""
    lines = (line for line in metrics.splitlines() if line.startswith(_WAITING))
    return sum(float(line.rpartition(" ")[2]) for line in lines)


if __name__ == "__main__":
    typer.run(main)

"""An HTTP proxy that fails on a seeded schedule: late answers, answers in drips, resets, bodies cut
off, bursts of refusals."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import httpx

Fault = Literal["none", "late", "drip", "reset before", "reset after", "cut off", "busy", "not ready"]
SHARES: dict[Fault, int] = {
    "none": 55, "late": 15, "drip": 5, "reset before": 6, "reset after": 6, "cut off": 6, "busy": 3, "not ready": 3,
}  # fmt: skip
BURSTS: dict[Fault, tuple[int, bytes]] = {"busy": (429, b"Too Many Requests"), "not ready": (503, b"Unavailable")}
LONGEST_LATENESS_S = 0.05
LAST_COUNTED_S = 2.0
DRIPS = 10
"""Parts that a slow answer comes in, with `LONGEST_LATENESS_S` in all between them."""


def schedule(seed: int) -> Iterator[Fault]:
    """What happens to each request in turn; refusals come in bursts."""
    chance = random.Random(seed)  # noqa: S311  no secret
    while True:
        fault = chance.choices(list(SHARES), list(SHARES.values()))[0]
        yield from [fault] * (chance.randint(2, 6) if fault in BURSTS else 1)


@dataclass
class FaultProxy:
    """In front of the server at `upstream`. `faults` counts what happened, `scored` by request id what was passed on
    and answered with 200 by the server, and `delivered` what also reached the client."""

    upstream: str
    seed: int
    url: str = ""
    faults: Counter[Fault] = field(default_factory=Counter)
    scored: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)

    async def run(self, listener: socket.socket, stop: asyncio.Event) -> None:
        """Serve until `stop`."""
        planned, chance = schedule(self.seed), random.Random(self.seed)  # noqa: S311  no secret
        handlers: set[asyncio.Task[None]] = set()
        async with httpx.AsyncClient(base_url=self.upstream) as http:

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = asyncio.current_task()
                if task is not None:
                    handlers.add(task)
                try:
                    while await self._pass_one(reader, writer, http, next(planned), chance):
                        pass
                except (asyncio.IncompleteReadError, ConnectionError):
                    pass
                finally:
                    handlers.discard(task)
                    writer.close()

            async with await asyncio.start_server(serve, sock=listener, limit=2**20):
                await stop.wait()
                if handlers:
                    # What was written is still to be counted; connections that clients keep open never end.
                    await asyncio.wait(handlers, timeout=LAST_COUNTED_S)
                for task in handlers:
                    task.cancel()
                await asyncio.gather(*handlers, return_exceptions=True)

    async def _pass_one(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        http: httpx.AsyncClient,
        fault: Fault,
        chance: random.Random,
    ) -> bool:
        """One request; whether the connection is still good."""
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = first.split(" ")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request_id = headers["x-request-id"]
        self.faults[fault] += 1
        if fault in BURSTS:
            status, reason = BURSTS[fault]
            writer.write(answer(status, reason, b"{}", b"retry-after: 0\r\n"))
            await writer.drain()
            return True
        if fault == "reset before":
            reset(writer)
            return False
        reply = await http.request(method, path, headers=headers, content=body)
        self.scored[request_id] += reply.status_code == 200
        if fault == "reset after":
            reset(writer)
            return False
        if fault == "late":
            await asyncio.sleep(chance.uniform(0, LONGEST_LATENESS_S))
        whole = answer(reply.status_code, b"OK", reply.content)
        if fault == "drip":
            await drip(writer, whole)
            self.delivered[request_id] += reply.status_code == 200
            return True
        writer.write(whole if fault != "cut off" else whole[: -len(reply.content) // 2])
        await writer.drain()
        self.delivered[request_id] += fault != "cut off" and reply.status_code == 200
        return fault != "cut off"


def answer(status: int, reason: bytes, body: bytes, headers: bytes = b"") -> bytes:
    """An HTTP answer as bytes."""
    head = b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\n%bcontent-length: %d\r\n\r\n"
    return head % (status, reason, headers, len(body)) + body


async def drip(writer: asyncio.StreamWriter, whole: bytes) -> None:
    """Send bytes bit by bit."""
    size = -(-len(whole) // DRIPS)
    for place in range(0, len(whole), size):
        writer.write(whole[place : place + size])
        await writer.drain()
        await asyncio.sleep(LONGEST_LATENESS_S / DRIPS)


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection as a crash does: with RST instead of FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def running_fault_proxy(upstream: str, seed: int) -> Iterator[FaultProxy]:
    """A proxy on a thread of its own."""
    proxy, started = FaultProxy(upstream, seed), threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        stop = asyncio.Event()
        running.append((asyncio.get_running_loop(), stop))
        started.set()
        await proxy.run(listener, stop)

    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        proxy.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        try:
            yield proxy
        finally:
            started.wait()
            [(loop, stop)] = running
            loop.call_soon_threadsafe(stop.set)
            thread.join()

"""Clients that take their time: bodies in drips, and answers that are read in drips."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from loadtests.traffic.outcomes import Outcome, fate_of
from loadtests.traffic.requests import KINDS, Bodies, headers

PARTS = 20
SMALL_BUFFER = 2048


async def slow_request(
    url: str, kind: str, number: int, bodies: Bodies, *, body_s: float = 0.0, answer_s: float = 0.0
) -> Outcome:
    """A request whose body takes so long to send, and whose answer so long to read."""
    address = urlsplit(url)
    body = bodies.body(kind, number)
    began = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=SMALL_BUFFER)
        try:
            lines = {"host": address.netloc, "content-length": str(len(body)), "connection": "close", **headers(number)}
            head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
            writer.write(f"POST /score HTTP/1.1\r\n{head}\r\n".encode())
            await _drip(writer, body, body_s)
            answer = await _read_slowly(reader, answer_s)
        finally:
            writer.close()
    except (OSError, asyncio.IncompleteReadError) as error:
        return Outcome(kind, 0.0, 0.0, time.perf_counter() - began, "lost", said=type(error).__name__)
    status, has_retry_after, results = read_answer(answer)
    fate = fate_of(status, has_retry_after, KINDS[kind].num_candidates, results)
    return Outcome(kind, 0.0, 0.0, time.perf_counter() - began, fate, status)


async def _drip(writer: asyncio.StreamWriter, body: bytes, seconds: float) -> None:
    size = -(-len(body) // PARTS)
    for place in range(0, len(body), size):
        writer.write(body[place : place + size])
        await writer.drain()
        await asyncio.sleep(seconds / PARTS)


async def _read_slowly(reader: asyncio.StreamReader, seconds: float) -> bytes:
    parts = [await reader.read(64)]
    while parts[-1]:
        await asyncio.sleep(seconds / PARTS)
        parts.append(await reader.read(SMALL_BUFFER // 8))
    return b"".join(parts)


def read_answer(answer: bytes) -> tuple[int, bool, Sequence[dict[str, object]]]:
    """Status, whether it says when to come back, and the results of a whole answer; status 0 of one that is not."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").lower().split("\r\n")
    named = dict(line.split(": ", 1) for line in lines if ": " in line)
    if not first.startswith("http/1.1 ") or len(body) != int(named.get("content-length", -1)):
        return 0, False, []
    status = int(first.split(" ")[1])
    return status, "retry-after" in named, json.loads(body)["results"] if status == 200 else []

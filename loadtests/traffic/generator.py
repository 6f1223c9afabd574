"""Sends requests when they are due, whether or not those before are answered, and times them from then."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Sequence

import aiohttp

from loadtests.traffic.arrivals import Arrival
from loadtests.traffic.outcomes import Fate, Outcome, fate_of
from loadtests.traffic.requests import KINDS, Bodies, headers, read_answers, request_id

PATIENCE_S = 310.0
"""More than `limits.request_timeout_s`: until then the server may still say that the time is over."""

REFUSED_PAUSE_S = 0.5
"""Of a caller that asks without end: refusals must not take the time that is measured."""

Clock = Callable[[], float]


def open_session() -> aiohttp.ClientSession:
    """Without a bound on connections, which would hold requests back; with none that a dead one could keep."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=15)
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)


async def ask(
    session: aiohttp.ClientSession, url: str, arrival: Arrival, number: int, body: bytes, clock: Clock
) -> Outcome:
    """One request, sent now."""
    started_s = clock()
    kind = KINDS[arrival.kind]

    def ended(fate: Fate, said: str = "", status: int = 0, num_doubled: int = 0) -> Outcome:
        return Outcome(arrival.kind, arrival.at_s, started_s, clock(), fate, status, num_doubled, said, number)

    try:
        async with session.post(f"{url}{kind.path}", data=body, headers=headers(number)) as response:
            content = await response.read()
    except aiohttp.ClientConnectorError as error:
        return ended("unreached", type(error).__name__)
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        return ended("lost", type(error).__name__)
    results = read_answers(kind, content) if response.status == 200 else []
    fate = fate_of(response.status, "retry-after" in response.headers, kind.num_candidates, results)
    is_other = response.headers.get("x-request-id") != request_id(number)
    said = f"{response.status}: {content[:200]!r}" if fate == "lost" else ""
    return ended(fate, said, response.status, max(0, len(results) - kind.num_candidates) + is_other)


async def send(url: str, schedule: Sequence[Arrival], bodies: Bodies, first: int = 0) -> list[Outcome]:
    """What became of each request of a schedule, in its order. `first` is the number of the first request: two runs
    against one server must not share any."""
    prepared = [bodies.body(arrival.kind, first + place) for place, arrival in enumerate(schedule)]
    async with open_session() as session:
        began = time.perf_counter()

        def clock() -> float:
            return time.perf_counter() - began

        # A collection would hold up all that is due meanwhile.
        gc.disable()
        try:
            running = []
            for place, arrival in enumerate(schedule):
                if (early_s := arrival.at_s - clock()) > 0:
                    await asyncio.sleep(early_s)
                request = ask(session, url, arrival, first + place, prepared[place], clock)
                running.append(asyncio.create_task(request))
            return list(await asyncio.gather(*running))
        finally:
            gc.enable()


async def saturate(url: str, kind: str, callers: int, seconds: float, bodies: Bodies, first: int = 0) -> list[Outcome]:
    """What callers get who ask again as soon as they are answered: the service works all the time, and no more than
    `callers` wait."""
    found: list[Outcome] = []
    async with open_session() as session:
        began = time.perf_counter()

        def clock() -> float:
            return time.perf_counter() - began

        async def caller(number: int) -> None:
            while clock() < seconds:
                found.append(await ask(session, url, Arrival(clock(), kind), number, bodies.body(kind, number), clock))
                if found[-1].fate in ("unreached", "lost"):
                    return
                if found[-1].fate == "refused":
                    await asyncio.sleep(REFUSED_PAUSE_S)
                number += callers

        await asyncio.gather(*(caller(first + number) for number in range(callers)))
    return found

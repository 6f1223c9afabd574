"""Two servers on ports that stay, started and stopped under load, and what they say they did."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from loadtests.servers.processes import free_port
from loadtests.servers.surefoot_server import SCORER, SurefootServer, fake_server, surefoot_server

Starts = Callable[[int], AbstractContextManager[SurefootServer]]
"""Runs a server on a port of 127.0.0.1, ended behind."""

DTYPE = "bfloat16"
"""Of the passes, said so that every machine measures the same."""

CONFIG = f"shutdown_grace_s = 60\nlog_format = 'json'\ndtype = '{DTYPE}'\n{SCORER}"
FAKE_TOKENS_PER_S = 100_000
END_LIMIT_S = 90.0
_COUNTERS = ("prompt", "unique", "cached")


def real_servers(port: int) -> AbstractContextManager[SurefootServer]:
    """The embedded process model. One thread each, or two would wait for each other on two cores."""
    return surefoot_server(CONFIG, {"OMP_NUM_THREADS": "1"}, port)


def fake_servers(port: int) -> AbstractContextManager[SurefootServer]:
    """The shipped fakes, which keep no states."""
    return fake_server(CONFIG, "--tokens-per-s", str(FAKE_TOKENS_PER_S), port=port)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens as sent, distinct ones of each request, and those known from before: counters of `/metrics`."""

    prompt: int
    unique: int
    cached: int

    def __sub__(self, other: Tokens) -> Tokens:
        return Tokens(self.prompt - other.prompt, self.unique - other.unique, self.cached - other.cached)


class Replica:
    """One of them. `url` is the same after it was stopped and started again."""

    def __init__(self, starts: Starts) -> None:
        self._starts = starts
        self._port = free_port()
        self._before: Counter[str] = Counter()
        self._running = ExitStack()
        self._server: SurefootServer | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns when it is ready."""
        self._server = self._running.enter_context(self._starts(self._port))

    def stop(self) -> int:
        """SIGTERM; the exit status, when it has ended."""
        if self._server is None:
            raise RuntimeError("the replica does not run")
        self._server.process.send_signal(signal.SIGTERM)
        status = self._server.process.wait(END_LIMIT_S)
        self._before, self._server = self.scored, None
        self._running.close()
        return status

    def close(self) -> None:
        """End it, if it runs."""
        self._running.close()

    @property
    def scored(self) -> Counter[str]:
        """How often it has answered which request with 200, since the first start, by its log."""
        return self._before if self._server is None else self._before + scored_in(self._server.log.read_text("utf-8"))

    def tokens(self) -> Tokens:
        """Of the process that runs."""
        text = httpx.get(f"{self.url}/metrics", timeout=30).text
        return Tokens(*(counter_in(text, f"surefoot_{name}_tokens_total") for name in _COUNTERS))


def scored_in(log: str) -> Counter[str]:
    """Request ids of `/score` that were answered with 200, by a log in JSON."""
    lines = (json.loads(line) for line in log.splitlines() if line.startswith("{") and '"/score"' in line)
    return Counter(line["request_id"] for line in lines if line.get("status") == httpx.codes.OK)


def counter_in(metrics: str, name: str) -> int:
    """A counter of the process model."""
    found = re.search(rf'^{name}{{model="prm"}} (\S+)$', metrics, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"/metrics has no {name} of prm")
    return int(float(found[1]))


class Pair:
    """Two replicas that are up between entering and leaving."""

    def __init__(self, starts: Starts) -> None:
        self.replicas = (Replica(starts), Replica(starts))

    def __enter__(self) -> Self:
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(Replica.start, self.replicas))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for replica in self.replicas:
            replica.close()

    @property
    def urls(self) -> list[str]:
        return [replica.url for replica in self.replicas]

    def tokens(self) -> Tokens:
        """Of both."""
        first, second = (replica.tokens() for replica in self.replicas)
        return Tokens(first.prompt + second.prompt, first.unique + second.unique, first.cached + second.cached)

    def places(self) -> dict[str, list[int]]:
        """Which replicas answered a request with scores; one that is named twice did so twice."""
        found: dict[str, list[int]] = {}
        for place, replica in enumerate(self.replicas):
            for request_id in replica.scored.elements():
                found.setdefault(request_id, []).append(place)
        return found


def shares(places: Iterable[int]) -> tuple[float, float]:
    """What share of the requests each replica had."""
    counts = Counter(places)
    total = max(1, counts.total())
    return counts[0] / total, counts[1] / total

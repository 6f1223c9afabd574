"""Which of several servers a request goes to: the one that knows its problem, unless that one is ill or overloaded."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from surefoot_client.retry import cooldown_s

OVERLOAD = 1.25
"""How many times its even share of the requests under way a server may have before a problem's requests spill over to
the next one: consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2018)."""

PROBLEM_HEADER = "x-surefoot-problem"
"""What a proxy before several servers can hash, so that one problem's requests meet at one of them."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """How a client sees a server. `available_in_s`: seconds for which it is left alone, 0 for one that is well."""

    url: str
    num_under_way: int
    num_failed_in_a_row: int
    available_in_s: float


@dataclass(slots=True, eq=False)
class Server:
    """A server's record, changed by `Servers` alone; moments are on the client's clock.

    Others are preferred until `available_at`. `asked_until` is the moment to which it asked to be left alone.
    """

    url: str
    num_under_way: int = 0
    num_failed: int = 0
    available_at: float = -math.inf
    asked_until: float = -math.inf


class Servers:
    """The servers of one client and their health, shared by all its calls and threads."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._servers = tuple(Server(url.rstrip("/")) for url in urls)
        self._lock = threading.Lock()

    def choose(self, affinity: str | None, now: float, tried: Collection[Server] = ()) -> Server:
        """Where the next attempt goes; `tried` are those that this call has failed at."""
        if len(self._servers) == 1:
            return self._servers[0]
        order = self._servers if affinity is None else by_affinity(self._servers, affinity)
        with self._lock:
            return chosen(order, affinity is not None, now, tried)

    def failed(self, server: Server, now: float, asked_s: float) -> None:
        """Prefer others to `server` for what it asked for and a while longer, which grows from failure to failure."""
        with self._lock:
            # Requests that were under way together fail together: that is one failure.
            if server.available_at <= now:
                server.num_failed += 1
            server.asked_until = max(server.asked_until, now + asked_s)
            server.available_at = max(server.available_at, now + asked_s + cooldown_s(server.num_failed))

    def succeeded(self, server: Server) -> None:
        """`server` answered: it is well, whatever was said of it."""
        with self._lock:
            server.num_failed = 0
            server.available_at = -math.inf

    @contextmanager
    def under_way(self, server: Server) -> Iterator[None]:
        """Counts a request at `server` for as long as it lasts."""
        with self._lock:
            server.num_under_way += 1
        try:
            yield
        finally:
            with self._lock:
                server.num_under_way -= 1

    def states(self, now: float) -> tuple[ServerState, ...]:
        """All servers as they are now, in the order in which they were given."""
        with self._lock:
            return tuple(
                ServerState(each.url, each.num_under_way, each.num_failed, max(0.0, each.available_at - now))
                for each in self._servers
            )


def problem_mark(affinity: str) -> str:
    """The value of `PROBLEM_HEADER`: the first 8 hex digits of the SHA-256 of what is asked.

    The text cannot be got back from it. Whoever guesses the whole text can find the guess confirmed.
    """
    return hashlib.sha256(affinity.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def by_affinity(servers: Sequence[Server], affinity: str) -> list[Server]:
    """The servers in the order that `affinity` gives them: rendezvous hashing (Thaler and Ravishankar, 1998).

    The same in every process; a server that comes or goes moves only the requests that it gets or had.
    """
    # A lone surrogate, which JSON may carry, has no place in UTF-8.
    key = affinity.encode("utf-8", "surrogatepass")

    def weight(server: Server) -> bytes:
        return hashlib.blake2b(server.url.encode() + b"\0" + key, digest_size=8).digest()

    return sorted(servers, key=weight, reverse=True)


def chosen(order: Sequence[Server], keeps_order: bool, now: float, tried: Collection[Server]) -> Server:
    """The server for one attempt.

    Of the available ones that were not tried yet (else of the available ones): the first of `order` that is not
    overloaded, or without an order to keep the one with the fewest requests. With none available the one that is
    soonest: a request is never refused here.
    """
    available = [server for server in order if server.available_at <= now]
    if not available:
        return min(order, key=lambda server: server.available_at)
    eligible = [server for server in available if server not in tried] or available
    if not keeps_order:
        return min(eligible, key=lambda server: server.num_under_way)
    most = math.ceil(OVERLOAD * (sum(server.num_under_way for server in available) + 1) / len(available))
    return next((server for server in eligible if server.num_under_way < most), eligible[0])

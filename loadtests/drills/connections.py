"""A thousand connections that begin a request and never finish it."""

from __future__ import annotations

import resource
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import psutil

from loadtests.drills.drill import CannotDrill, Drilled
from loadtests.drills.load import Load, until
from loadtests.servers.surefoot_server import fake_server
from loadtests.traffic.outcomes import counted, latencies, quantile

NUM_CONNECTIONS = 1_000
SLOWER, ALWAYS_GOOD_S = 5.0, 1.0
"""Times the p95 without them that the p95 beside them may be, and what it may be in any case."""
HELD_S = 4.0
LET_GO_S = 30.0
BODY_S = 15.0
CONFIG = f"[limits]\nbody_timeout_s = {BODY_S}\n"
BEGINNINGS = (
    b"",
    b"POST /score HTTP/1.1\r\nhost: x\r\n",
    b'POST /score HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{"items": [',
)
"""Nothing, half a head, half a body."""


def half_open() -> Drilled:
    """1,000 connections with nothing, half a head or half a body, beside ordinary requests; all are let go in time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * NUM_CONNECTIONS:
        raise CannotDrill(f"a process may open {hard} files only: raise ulimit -n to {2 * NUM_CONNECTIONS}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * NUM_CONNECTIONS), hard))
    with fake_server(CONFIG, "--tokens-per-s", "20000") as server, ExitStack() as opened, Load(server.url, 15) as load:
        process, address = psutil.Process(server.process.pid), urlsplit(server.url)
        load.until_answered()
        time.sleep(HELD_S)
        alone = list(load.outcomes)
        at_rest = process.num_fds()
        for number in range(NUM_CONNECTIONS):
            connection = opened.enter_context(socket.create_connection((address.hostname, address.port), 10))
            connection.sendall(BEGINNINGS[number % len(BEGINNINGS)])
        until(lambda: process.num_fds() - at_rest >= NUM_CONNECTIONS - 10, "it holds them all", within_s=BODY_S)
        before = len(load.outcomes)
        time.sleep(HELD_S)
        beside = load.outcomes[before:]
        until(lambda: process.num_fds() < at_rest + NUM_CONNECTIONS / 20, "it lets go of them", within_s=LET_GO_S)
    p95, p95_beside = (quantile(latencies(some, "interactive", "answered"), 0.95) for some in (alone, beside))
    return Drilled(
        counted(load.outcomes),
        {
            "all ordinary requests are scored": load.num("answered") == len(load.outcomes),
            f"p95 beside them, {1000 * p95_beside:.0f} ms, is at most {SLOWER:g} times that without, "
            f"{1000 * p95:.0f} ms, or {ALWAYS_GOOD_S:g} s": p95_beside <= max(SLOWER * p95, ALWAYS_GOOD_S),
        },
    )

"""The kernel kills the service for want of memory, and its supervisor starts it again."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from loadtests.drills.drill import CannotDrill, Drilled, needs
from loadtests.drills.load import ClientRun
from loadtests.servers.processes import free_port
from loadtests.servers.surefoot_server import SurefootServer, fake_server

V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
NUM_ITEMS = 2_000
ROOM_MIB = 48
"""Above what it has at rest."""

NUM_BODIES, BODY_MIB = 24, 15
"""That all come at once: more than there is room for."""


def memory_limit() -> Drilled:
    """A memory limit that large bodies exceed: the kernel kills the service in mid-work, and it is started again."""
    needs(root=True)
    port = free_port()
    with _group() as group:
        with fake_server("", "--tokens-per-s", "20000", port=port) as server:
            at_rest = psutil.Process(server.process.pid).memory_info().rss
            group.limit(at_rest + ROOM_MIB * 2**20)
            group.take(server.process.pid)
            run = ClientRun([server.url], NUM_ITEMS, attempt_timeout_s=10.0, timeout_s=240.0)
            running = run.start()
            run.until_settled(0.1)
            status = _exhaust(server)
        # As a supervisor does; the limit was the last one's.
        with fake_server("", "--tokens-per-s", "20000", port=port):
            running.result()
    claims = {"the kernel killed it": status == -signal.SIGKILL, "no item failed": run.num_failed == 0}
    return Drilled(run.counts(), claims)


def _exhaust(server: SurefootServer) -> int:
    """Send bodies that never end until the process does; its exit status."""
    address = urlsplit(server.url)
    senders = [threading.Thread(target=_send, args=(address.hostname, address.port)) for _ in range(NUM_BODIES)]
    for sender in senders:
        sender.start()
    try:
        return server.process.wait(60)
    finally:
        for sender in senders:
            sender.join(30)


def _send(host: str, port: int) -> None:
    length = BODY_MIB * 2**20
    head = f"POST /score HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    with suppress(OSError), socket.create_connection((host, port), 5) as connection:
        connection.sendall(head.encode() + b'{"items": ["')
        for _ in range(BODY_MIB * 16 - 1):
            connection.sendall(b"x" * 2**16)
        # The body is never whole: what has come of it is held until it is, or until its time is over.
        time.sleep(10)


class _Group:
    """A control group of the kernel's for memory, in either of its two forms."""

    def __init__(self, folder: Path, limit: str) -> None:
        self._folder, self._limit = folder, limit

    def limit(self, num_bytes: int) -> None:
        (self._folder / self._limit).write_text(str(num_bytes), encoding="ascii")

    def take(self, pid: int) -> None:
        (self._folder / "cgroup.procs").write_text(str(pid), encoding="ascii")


@contextmanager
def _group() -> Iterator[_Group]:
    name = f"surefoot-drill-{os.getpid()}"
    folder, limit = (V1 / name, "memory.limit_in_bytes") if V1.is_dir() else (V2 / name, "memory.max")
    try:
        folder.mkdir()
    except OSError as cause:
        raise CannotDrill(f"no control group can be made at {folder}: {cause.strerror}") from cause
    try:
        if not (folder / limit).exists():
            raise CannotDrill(f"{folder} has no {limit}: the memory controller is not there")
        yield _Group(folder, limit)
    finally:
        folder.rmdir()

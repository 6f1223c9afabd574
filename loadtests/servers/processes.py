"""What servers that are processes have in common."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import Any

import httpx
import psutil

START_LIMIT_S = 300.0


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until_up(process: subprocess.Popen[bytes], url: str) -> None:
    """Until `url` answers 200. Raises `RuntimeError` where the server ends before or takes too long."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the server ended while it started")
        try:
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise RuntimeError(f"the server was not up within {START_LIMIT_S:.0f} s")


def family_of(process: subprocess.Popen[Any]) -> list[psutil.Process]:
    """A server with the processes that it has started."""
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]

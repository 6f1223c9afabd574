"""Containers of the built image, by podman: read-only, without capabilities, with bounded memory."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

IMAGE = os.environ.get("SUREFOOT_IMAGE", "localhost/surefoot:cpu")
MEMORY_LIMIT = 2 * 2**30
START_LIMIT_S = 120.0
RLIMITS = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
# Without a systemd, and as root.
PODMAN = ("podman", "--cgroup-manager", "cgroupfs", "--runtime", "runc")


def podman(*arguments: str, limit_s: float = 120.0) -> subprocess.CompletedProcess[str]:
    """What podman did and said; fails where it is not there."""
    missing = [tool for tool in ("podman", "runc") if shutil.which(tool) is None]
    assert missing == [], f"the image is run by these: apt-get install --no-install-recommends {' '.join(missing)}"
    return subprocess.run([*PODMAN, *arguments], capture_output=True, text=True, timeout=limit_s, check=False)


def inspected(what: str = IMAGE) -> dict[str, Any]:
    done = podman("inspect", what)
    assert done.returncode == 0, f"{done.stderr}\nbuild it first: deploy/image/build --stand-in cpu {IMAGE}"
    [found] = json.loads(done.stdout)
    return found


def bounds() -> list[str]:
    """The options of every container: as little as deploy/kubernetes grants."""
    # podman asks for more than a process without CAP_SYS_RESOURCE may hand on.
    own = {name: resource.getrlimit(number)[1] for name, number in RLIMITS.items()}
    limits = [f"--ulimit={name}={min(most, 4096)}" for name, most in own.items()]
    privileges = ["--cap-drop=ALL", "--security-opt=no-new-privileges", f"--memory={MEMORY_LIMIT}"]
    # podman's timer for health checks is systemd's, which not every machine has; a test asks by itself.
    return ["--read-only", "--tmpfs=/tmp", "--network=host", "--health-interval=disable", *privileges, *limits]


@dataclass(frozen=True)
class Container:
    name: str
    url: str

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/ready").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        pytest.fail(f"the service did not become ready:\n{self.log()}")

    def log(self) -> str:
        done = podman("logs", self.name)
        return (done.stdout + done.stderr)[-4000:]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command inside."""
        return podman("exec", self.name, *command)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = inspected(self.name)["State"]
        return state


@contextmanager
def running(*options: str) -> Iterator[Container]:
    """A ready service on a free port of 127.0.0.1, removed at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    name = f"surefoot-test-{uuid.uuid4().hex[:8]}"
    address = ["--env=SUREFOOT_HOST=127.0.0.1", f"--env=SUREFOOT_PORT={port}"]
    container = Container(name, f"http://127.0.0.1:{port}")
    try:
        done = podman("run", "--detach", "--name", name, *bounds(), *address, *options, IMAGE)
        assert done.returncode == 0, done.stderr
        container.wait_until_ready()
        yield container
    finally:
        podman("rm", "--force", "--time", "0", name)

"""One real server for the whole session: real models, real vLLM, its own process, a free port."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from fake_server import FakeServer, starting_fakes
from surefoot_client import SurefootClient

START_LIMIT_S = 240.0

CONFIG = """
[[models]]
name = "prm"
profile = "embedded-prm"
dtype = "bfloat16"

[[models]]
name = "orm"
profile = "embedded-orm"
dtype = "bfloat16"

[[models]]
name = "prm-fp32"
profile = "embedded-prm"
dtype = "float32"

[generator]
start = "startup"
"""


@dataclass
class RunningServer:
    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    def wait_for_url(self) -> None:
        """Until the banner names the address; the log is the message when it never does."""
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in self.log.read_text(errors="replace").splitlines():
                if line.startswith("surefoot ") and " on http://" in line:
                    self.url = line.rsplit(" on ", 1)[1].strip()
            if self.url and self._answers():
                return
            time.sleep(0.2)
        pytest.fail(f"the server did not come up:\n{self.log.read_text(errors='replace')[-4000:]}")

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        with SurefootClient(self.url) as client:
            while time.monotonic() < deadline and self.process.poll() is None:
                state = client.ready()
                if state.ready and all(generator.state == "ready" for generator in state.generators.values()):
                    return
                time.sleep(0.5)
        pytest.fail(f"the server did not become ready:\n{self.log.read_text(errors='replace')[-4000:]}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health").status_code == 200
        except httpx.TransportError:
            return False


def start_server(scratch: Path, config: str, *arguments: str) -> RunningServer:
    """`surefoot serve` with a configuration, logging into `scratch`."""
    (scratch / "surefoot.toml").write_text(config)
    log = scratch / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "surefoot",
                "serve",
                "--port",
                "0",
                "-c",
                str(scratch / "surefoot.toml"),
                *arguments,
            ],
            stdout=output,
            stderr=output,
            env={name: value for name, value in os.environ.items() if not name.startswith("SUREFOOT_")},
        )
    return RunningServer(process, log)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = start_server(tmp_path_factory.mktemp("server"), CONFIG)
    try:
        running.wait_for_url()
        running.wait_until_ready()
        yield running
        assert running.stop() == 0, running.log.read_text(errors="replace")[-4000:]
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


@pytest.fixture
def client(server: RunningServer) -> Iterator[SurefootClient]:
    with SurefootClient(server.url, timeout_s=120, sampling_timeout_s=300) as connected:
        yield connected


@pytest.fixture
def http(server: RunningServer) -> Iterator[httpx.Client]:
    """Plain HTTP, for bodies that the client would not send."""
    with httpx.Client(base_url=server.url, timeout=300) as connected:
        yield connected


def _launching(scratch: Path) -> Iterator[Callable[..., RunningServer]]:
    started: list[RunningServer] = []

    def start(config: str, *arguments: str) -> RunningServer:
        started.append(start_server(scratch, config, *arguments))
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Starts further servers, which are ended with the test."""
    yield from _launching(tmp_path)


@pytest.fixture(scope="module")
def launch_for_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningServer]]:
    """Starts further servers, which are ended with the module."""
    yield from _launching(tmp_path_factory.mktemp("module"))


@pytest.fixture
def start_fake(tmp_path: Path) -> Iterator[Callable[..., FakeServer]]:
    """Starts servers over the fakes, which are ended with the test."""
    yield from starting_fakes(tmp_path)


@pytest.fixture(scope="module")
def start_fake_for_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., FakeServer]]:
    """Starts servers over the fakes, which are ended with the module."""
    yield from starting_fakes(tmp_path_factory.mktemp("fakes"))

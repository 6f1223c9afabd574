"""The server of `fake_server_program.py` as a process, which tests start, ask and kill."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

PROGRAM = Path(__file__).with_name("fake_server_program.py")
WORK = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"]}
STARTS_S = 60.0


@dataclass(frozen=True)
class FakeServer:
    """What `surefoot serve` runs, over the shipped fakes: `fake_server_program.py` as a process."""

    process: subprocess.Popen[str]
    url: str
    config: Path
    log: Path

    def score(self) -> httpx.Response:
        return httpx.post(f"{self.url}/score", json=WORK, timeout=60)

    def code(self) -> str:
        """Of the error of a scored item."""
        return str(self.score().json()["results"][0]["error"]["code"])

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + STARTS_S
        while not condition():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready").status_code == 200
        except httpx.TimeoutException:
            # It listens before the service is built, which takes long on a busy machine.
            return False

    def queued(self) -> bool:
        """Whether somebody waits behind the pass that runs."""
        return bool(re.search(r"surefoot_queue_requests{[^}]*} 1", httpx.get(f"{self.url}/metrics").text))

    def has_work(self) -> bool:
        """Whether a request has come as far as its tokens, behind which is the pass."""
        metrics = httpx.get(f"{self.url}/metrics", timeout=60).text
        return bool(re.search(r"surefoot_tokenise_seconds_count{[^}]*} [1-9]", metrics))


def starting_fakes(scratch: Path) -> Iterator[Callable[..., FakeServer]]:
    """Gives what starts servers (configuration, seconds that the first pass is stuck, port); then ends them all."""
    started: list[subprocess.Popen[str]] = []

    def launch(config: str, hangs_s: float, port: int = 0) -> FakeServer:
        file, log = scratch / "surefoot.toml", scratch / "server.log"
        file.write_text(config)
        program = [sys.executable, str(PROGRAM), str(file), str(hangs_s), str(port)]
        with log.open("w") as errors:
            process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=errors, text=True)
        started.append(process)
        assert process.stdout is not None
        server = FakeServer(process, process.stdout.readline().strip(), file, log)
        server.until(lambda: server.url.startswith("http") and server.ready())
        return server

    yield launch
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

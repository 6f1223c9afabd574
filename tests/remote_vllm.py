"""A vLLM server of its own process, for the tests that speak to one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

START_LIMIT_S = 240.0


@dataclass
class RemoteVllm:
    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.5)
        pytest.fail(f"vLLM did not come up:\n{self.log.read_text(errors='replace')[-4000:]}")

    def num_running(self) -> float:
        """Requests that the engine works on."""
        lines = httpx.get(f"{self.url}/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("vllm:num_requests_running{"))

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def start_vllm(directory: Path, log: Path, options: Sequence[str]) -> RemoteVllm:
    """A server that begins to load `directory` on a free port; whoever starts it kills it."""
    port = _free_port()
    # The `vllm` command looks for a distribution of that name, which the one for processors does not have.
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(directory)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--enforce-eager", *options],
            stdout=output,
            stderr=output,
            env=os.environ | {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"},
            start_new_session=True,
        )
    return RemoteVllm(process, f"http://127.0.0.1:{port}", log)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

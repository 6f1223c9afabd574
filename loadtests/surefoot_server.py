"""The service as a process of its own, with its log kept."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.http_groups import free_port, wait_until_up

SCORER = """
[[models]]
name = "prm"
profile = "embedded-prm"

[generator]
engine = "none"
"""
"""Settings of a server of the shipped process model, and of nothing else."""


def score_body(problem: str, candidates: Iterable[Sequence[str]]) -> dict[str, Any]:
    """A request of `POST /score` to it; a candidate is its steps."""
    return {"model": "prm", "items": [{"problem": problem, "steps": list(steps)} for steps in candidates]}


@dataclass(frozen=True, slots=True)
class SurefootServer:
    """One that is up."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path


@contextmanager
def surefoot_server(config: str, environment: Mapping[str, str] | None = None) -> Iterator[SurefootServer]:
    """Runs `surefoot serve` with the settings in `config`, TOML to which a port is added, and ends it behind."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="surefoot-loadtest-") as scratch:
        path, log_path = Path(scratch) / "surefoot.toml", Path(scratch) / "log"
        path.write_text(f"port = {port}\n{config}", encoding="utf-8")
        command = [sys.executable, "-m", "surefoot", "serve", "--config", str(path)]
        given = os.environ | (environment or {})
        with log_path.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, env=given) as process:  # noqa: S603
            try:
                url = f"http://127.0.0.1:{port}"
                wait_until_up(process, f"{url}/ready")
                yield SurefootServer(process, url, log_path)
            finally:
                process.terminate()

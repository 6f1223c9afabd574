"""The service as a process of its own, with its log kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.servers.processes import free_port, wait_until_up

_SETTINGS = """
[[models]]
name = "prm"
profile = "embedded-prm"
path = {path}

[generator]
engine = "none"
"""
_SETTINGS_FILE = "scorer.toml"


def scorer(path: str = "embedded") -> str:
    """Settings of a server of one process model, and of nothing else: the shipped one, or a checkpoint that is read in
    its way without an adapter."""
    return _SETTINGS.format(path=json.dumps(path, ensure_ascii=False))


SCORER = scorer()
"""Of the shipped model."""


def write_scorer(directory: Path, settings: str) -> None:
    """Keep the settings by which the service serves a checkpoint beside it, for the peer that is the service."""
    (directory / _SETTINGS_FILE).write_text(settings, encoding="utf-8")


def read_scorer(directory: Path) -> str:
    """What `write_scorer` has kept."""
    return (directory / _SETTINGS_FILE).read_text(encoding="utf-8")


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
def surefoot_server(
    config: str, environment: Mapping[str, str] | None = None, port: int = 0
) -> Iterator[SurefootServer]:
    """Runs `surefoot serve` with the settings in `config`, TOML to which a port is added (0: a free one), and ends it
    behind."""
    with _running(config, ("surefoot", "serve", "--config"), (), environment, port) as server:
        yield server


@contextmanager
def fake_server(
    config: str, *options: str, environment: Mapping[str, str] | None = None, port: int = 0
) -> Iterator[SurefootServer]:
    """The same over the shipped fakes, up within seconds; `options` are those of `loadtests.servers.fake_server`."""
    with _running(config, ("loadtests.servers.fake_server",), options, environment, port) as server:
        yield server


@contextmanager
def _running(
    config: str,
    module: Sequence[str],
    options: Sequence[str],
    environment: Mapping[str, str] | None,
    port: int = 0,
) -> Iterator[SurefootServer]:
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="surefoot-loadtest-") as scratch:
        path, log_path = Path(scratch) / "surefoot.toml", Path(scratch) / "log"
        path.write_text(config, encoding="utf-8")
        command = [sys.executable, "-m", *module, str(path), "--port", str(port), *options]
        given = os.environ | (environment or {})
        with log_path.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, env=given) as process:  # noqa: S603
            try:
                url = f"http://127.0.0.1:{port}"
                wait_until_up(process, f"{url}/ready")
                yield SurefootServer(process, url, log_path)
            finally:
                process.terminate()

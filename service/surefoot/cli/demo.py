"""`surefoot demo`: the main job from cold start to clean stop, each step timed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from surefoot.cli.consoles import output_console, print_json, progress_console
from surefoot.cli.models import JsonOption, prepare_embedded
from surefoot.cli.show import tell_best_of_n
from surefoot.errors import NotReady, StartupError
from surefoot.settings import load_settings
from surefoot_client import BestOfN, ConnectionFailed, ModelInfo, SurefootClient

PROBLEM = "Tom has 3 boxes with 12 pens each. He gives away 7. How many pens are left?"
STRATEGY = "process_weighted"
"""What the embedded models choose best by, as their cards say: a vote, weighted by the process model."""

_START_LIMIT_S = 300.0
_STOP_LIMIT_S = 60.0


def demo(
    problem: Annotated[str, typer.Option(help="The problem to solve.")] = PROBLEM,
    n: Annotated[int, typer.Option("-n", "--candidates", min=1, help="How many candidates to sample.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sampling.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Prepare the embedded model, start the service, solve a word problem over HTTP, and stop it again."""
    console = progress_console() if as_json else output_console()
    settings = load_settings()
    seconds: dict[str, float] = {}
    with _step(console, "1/4 prepare the embedded model (SmolLM2-135M-Instruct)", seconds, "prepare"):
        directory = prepare_embedded(settings.cache)
    console.print(f"      {directory}", style="dim")
    with tempfile.TemporaryDirectory(prefix="surefoot-demo-") as scratch, _Server(Path(scratch)) as server:
        engine = settings.generator.engine
        if engine == "auto":
            engine = "vllm" if find_spec("vllm") else "transformers"
        with _step(console, f"2/4 start the service: reward models, and {engine} as the sampler", seconds, "start"):
            server.wait_until_ready()
        console.print(f"      {server.url}", style="dim")
        with SurefootClient(server.url) as client:
            with _step(
                console, f"3/4 sample {n} candidates, score every step, rank them (POST /best_of_n)", seconds, "solve"
            ):
                found, models = _solve(client, problem, n, seed)
            console.print()
            tell_best_of_n(console, problem, found, models, STRATEGY)
            console.print()
        with _step(console, "4/4 stop the service", seconds, "stop"):
            server.stop()
    if as_json:
        print_json({"seconds": seconds, "best_of_n": found.to_dict()})


def _solve(client: SurefootClient, problem: str, n: int, seed: int) -> tuple[BestOfN, tuple[ModelInfo, ...]]:
    sampling = {"n": n, "temperature": 0.7, "max_tokens": 192, "seed": seed}
    found = client.best_of_n(problem, sampling=sampling, ranking={"strategy": STRATEGY})
    return found, client.models().models


@contextmanager
def _step(console: Console, what: str, seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    with console.status(what):
        yield
    seconds[name] = round(time.perf_counter() - started, 3)
    console.print(f"[bold]{what}[/bold]  [dim]{seconds[name]:.1f} s[/dim]")


class _Server:
    """`surefoot serve` as a process of its own, on a free port; its log is shown when it fails."""

    def __init__(self, scratch: Path) -> None:
        self._log = scratch / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> _Server:
        # The line that says where it listens is read as text.
        environment = {**os.environ, "SUREFOOT_GENERATOR__START": "startup", "SUREFOOT_LOG_FORMAT": "text"}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "surefoot", "serve", "--port", "0"], stdout=log, stderr=log, env=environment
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def wait_until_ready(self) -> None:
        """Until models and sampler are loaded. Raises `NotReady` with the end of the log when they are not."""
        deadline = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            self.url = self.url or self._announced_url()
            if self.url and self._is_ready():
                return
            time.sleep(0.25)
        raise NotReady(f"the service did not become ready; the end of its log:\n{self._log_end()}")

    def stop(self) -> None:
        """SIGTERM, and wait. Raises `StartupError` when it does not end cleanly."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(_STOP_LIMIT_S)
        if status != 0:
            raise StartupError(f"the service ended with status {status}; the end of its log:\n{self._log_end()}")

    def _is_ready(self) -> bool:
        try:
            with SurefootClient(self.url, max_retries=0) as client:
                state = client.ready()
        except ConnectionFailed:
            return False
        failed = [generator.detail for generator in state.generators.values() if generator.state == "failed"]
        if failed:
            raise NotReady(f"the sampler did not start: {failed[0]}\n{self._log_end()}")
        return state.ready and all(generator.state == "ready" for generator in state.generators.values())

    def _announced_url(self) -> str:
        for line in self._log.read_text(errors="replace").splitlines():
            if line.startswith("surefoot ") and " on http://" in line:
                return line.rsplit(" on ", 1)[1].strip()
        return ""

    def _log_end(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-30:])

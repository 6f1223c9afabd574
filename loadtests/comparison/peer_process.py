"""Peers as processes of their own, one line of JSON each way. Only the one that is asked runs: servers that wait for
work may turn in circles for it, and would take time from the one that is measured."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import psutil

from loadtests.comparison.merged_checkpoint import Checkpoints
from loadtests.servers.processes import family_of

PEERS = ("surefoot", "one_by_one", "padded_batches", "vllm_pooling", "vllm_generate")


@dataclass(frozen=True, slots=True)
class Machine:
    """What all peers are run on, alike."""

    dtype: str
    threads: int
    device: str


class Peer:
    """A peer that is up."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self._process = process
        self._stdin, self._stdout = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)

    def run(self, waves: Path, concurrency: int) -> dict[str, Any]:
        """Score a file of waves. Raises `RuntimeError` where the peer ends instead."""
        with self.awake():
            self._stdin.write(json.dumps({"waves": str(waves), "concurrency": concurrency}) + "\n")
            self._stdin.flush()
            return self.answer()

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Its processes run within, and stand still behind."""
        self.signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.signal(signal.SIGSTOP)

    def signal(self, number: int) -> None:
        """To it and to what it has started, where that has not ended."""
        with suppress(psutil.NoSuchProcess):
            for each in family_of(self._process):
                each.send_signal(number)

    def close(self) -> None:
        """Have it end."""
        self._stdin.close()

    def answer(self) -> dict[str, Any]:
        """Its next line."""
        line = self._stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended without an answer; its log says why")
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def running(name: str, checkpoints: Checkpoints, machine: Machine, log: Path) -> Iterator[Peer]:
    """A peer from start to end; what it prints beside its answers goes to `log`."""
    given: Sequence[str] = (
        *("--causal", str(checkpoints.causal), "--classifier", str(checkpoints.classifier)),
        *("--words", ",".join(map(str, checkpoints.words)), "--dtype", machine.dtype),
        *("--threads", str(machine.threads), "--device", machine.device),
    )
    command = [sys.executable, "-m", f"loadtests.comparison.peers.{name}", *given]
    with (
        log.open("wb") as errors,
        subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        peer = Peer(name, process)
        try:
            with peer.awake():
                peer.answer()
            yield peer
        finally:
            peer.signal(signal.SIGCONT)
            peer.close()
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()

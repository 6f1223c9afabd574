"""Peers as processes of their own, one line of JSON each way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from loadtests.merged_checkpoint import Checkpoints

PEERS = ("surefoot", "one_by_one", "padded_batches", "vllm_pooling", "vllm_generate")


@dataclass(frozen=True, slots=True)
class Machine:
    """What all peers are run on, alike."""

    dtype: str
    threads: int
    device: str


class Peer:
    """A peer that is up."""

    def __init__(self, name: str, stdin: IO[str], stdout: IO[str]) -> None:
        self.name = name
        self._stdin, self._stdout = stdin, stdout

    def run(self, waves: Path, concurrency: int) -> dict[str, Any]:
        """Score a file of waves. Raises `RuntimeError` where the peer ends instead."""
        self._stdin.write(json.dumps({"waves": str(waves), "concurrency": concurrency}) + "\n")
        self._stdin.flush()
        return self.answer()

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
    command = [sys.executable, "-m", f"loadtests.peers.{name}", *given]
    with (
        log.open("wb") as errors,
        subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        stdin, stdout = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
        peer = Peer(name, stdin, stdout)
        try:
            peer.answer()
            yield peer
        finally:
            stdin.close()
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()

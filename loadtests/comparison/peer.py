"""What every peer does around its scoring: read options, say when it is ready, run what it is told, tell its memory.

Standard input holds one line for each run, {"waves": FILE}; each answer is one line on standard output,
{"seconds", "forward_s", "latencies_s", "scores", "peak_mib", "gpu_mib"}. Whatever else a library prints goes to
standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TextIO

import psutil

from loadtests.comparison.gpu_memory import taken_mib

Group = dict[str, Any]
Scores = list[list[float]]
"""Of each candidate the probability of each step."""

ScoreWave = Callable[[Sequence[Group], int], tuple[list[Scores], list[float]]]
"""From a wave, and how many groups may be under way, to scores and seconds of each group."""


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """Where the model is and how it is run."""

    causal: str
    classifier: str
    words: tuple[int, int]
    dtype: str
    threads: int
    device: str


def options() -> PeerOptions:
    """From the command line; threads are set, and standard output kept for answers, before any library is loaded."""
    answers_file()
    parser = argparse.ArgumentParser()
    parser.add_argument("--causal", required=True)
    parser.add_argument("--classifier", required=True)
    parser.add_argument("--words", required=True)
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(given.threads)
    positive, negative = map(int, given.words.split(","))
    return PeerOptions(given.causal, given.classifier, (positive, negative), given.dtype, given.threads, given.device)


@cache
def answers_file() -> TextIO:
    """What was standard output; from the first call on, what libraries print there goes to standard error."""
    found = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return found


def answer_runs(
    score: ScoreWave,
    others: Callable[[], Sequence[psutil.Process]] = lambda: (),
    forward_s: Callable[[], float | None] = lambda: None,
) -> None:
    """Serve runs until standard input ends. `others` are processes whose memory counts too; `forward_s` tells the
    seconds of all forward passes so far, where that is known."""
    answers = answers_file()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        waves = json.loads(Path(asked["waves"]).read_text(encoding="utf-8"))
        scores: list[Scores] = []
        latencies: list[float] = []
        forward_before = forward_s()
        began = time.perf_counter()
        for wave in waves:
            found, took = score(wave, asked["concurrency"])
            scores.extend(found)
            latencies.extend(took)
        seconds = time.perf_counter() - began
        family = (psutil.Process(), *others())
        memory = {"peak_mib": _peak_mib(family), "gpu_mib": taken_mib(each.pid for each in family)}
        passes = None if forward_before is None else (forward_s() or 0.0) - forward_before
        told = {"seconds": seconds, "forward_s": passes, "latencies_s": latencies, "scores": scores, **memory}
        print(json.dumps(told), file=answers, flush=True)


def _peak_mib(family: Sequence[psutil.Process]) -> float:
    """The largest resident set so far of each process, added up."""
    total = 0.0
    for process in family:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
        peak = next(line for line in status if line.startswith("VmHWM"))
        total += int(peak.split()[1]) / 1024
    return total

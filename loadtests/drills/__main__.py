"""`python -m loadtests.drills [NAME …]`: something breaks on purpose, and what became of the work is counted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Annotated

import typer
from rich.console import Console

from loadtests.drills.clock import clock_jump
from loadtests.drills.connections import half_open
from loadtests.drills.disk import full_disk
from loadtests.drills.drill import CannotDrill, Drilled
from loadtests.drills.memory import memory_limit
from loadtests.drills.network import bad_network, dropped_packets, replica_cut_off
from loadtests.drills.samplers import engine_killed, sampler_killed

DRILLS: Mapping[str, Callable[[], Drilled]] = MappingProxyType(
    {
        "sampler-killed": sampler_killed,
        "full-disk": full_disk,
        "clock-jump": clock_jump,
        "bad-network": bad_network,
        "dropped-packets": dropped_packets,
        "replica-cut-off": replica_cut_off,
        "memory-limit": memory_limit,
        "half-open": half_open,
        "engine-killed": engine_killed,
    }
)
FAILED, IMPOSSIBLE = 1, 2

console = Console(stderr=True, highlight=False, soft_wrap=True)


def main(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME…]", help="All where none is named.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Say what there is, and end.")] = False,
) -> None:
    """Break something, and count what became of the work: one line of JSON for each drill.

    Exits with 1 where anything was lost, doubled or not as it should be, with 2 where a drill could not be made here: a
    program is missing, or the right to do it. All of it happens on this machine, on servers started for it.
    """
    if list_:
        for name, drill in DRILLS.items():
            typer.echo(f"{name:16} {(drill.__doc__ or '').splitlines()[0]}")
        return
    chosen = names or list(DRILLS)
    if unknown := set(chosen) - set(DRILLS):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose of {', '.join(DRILLS)}")
    statuses = [_drilled(name) for name in chosen]
    raise typer.Exit(max(statuses))


def _drilled(name: str) -> int:
    console.print(f"{name}: {(DRILLS[name].__doc__ or '').splitlines()[0]}")
    began = time.monotonic()
    try:
        drilled = DRILLS[name]()
    except CannotDrill as cause:
        typer.echo(json.dumps({"drill": name, "outcome": "not made", "because": str(cause)}))
        return IMPOSSIBLE
    except Exception as cause:  # noqa: BLE001  the others are still to be made
        typer.echo(json.dumps({"drill": name, "outcome": "failed", "because": f"{type(cause).__name__}: {cause}"}))
        return FAILED
    failures = drilled.failures
    said = {"drill": name, "outcome": "failed" if failures else "passed", **asdict(drilled.counts)}
    found = {"claims": dict(drilled.claims), "failures": failures, "seconds": round(time.monotonic() - began, 1)}
    typer.echo(json.dumps(said | found))
    return FAILED if failures else 0


if __name__ == "__main__":
    typer.run(main)

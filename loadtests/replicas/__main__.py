"""`python -m loadtests.replicas -o out/replicas`: two replicas, three ways to ask them, and a drain."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from loadtests.replicas.checks import checks_of_drain, checks_of_way, same_scores
from loadtests.replicas.drains import Drained, drain
from loadtests.replicas.pair import DTYPE, fake_servers, real_servers
from loadtests.replicas.questions import MOST_PROBLEMS, MOST_ROUNDS, rounds_of
from loadtests.replicas.report import write_report
from loadtests.replicas.ways import AFFINE, NEED_NGINX, WAYS, Measured, measured_by
from loadtests.servers.nginx_server import nginx_program
from loadtests.traffic.bench import Check

NO_NGINX = "left out: nginx is not installed (Debian: apt-get install nginx)"

_OUT_HELP = "Where report, plot and JSON go."
_PROBLEMS_HELP = "Asked by every way, in every round; fewer than 48 are a rehearsal."

console = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is asked: `problems` by every way for `rounds`, `drained` problems while a replica leaves."""

    problems: int
    rounds: int
    drained: int
    callers: int
    seed: int


def main(
    out: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help=_OUT_HELP, file_okay=False)],
    problems: Annotated[int, typer.Option(min=16, max=MOST_PROBLEMS, help=_PROBLEMS_HELP)] = 48,
    rounds: Annotated[int, typer.Option(min=2, max=MOST_ROUNDS, help="How often each problem is asked about.")] = 4,
    drained: Annotated[int, typer.Option(min=16, max=MOST_PROBLEMS, help="Problems while a replica leaves.")] = 24,
    callers: Annotated[int, typer.Option(min=1, max=64, help="Questions under way at a time.")] = 16,
    seed: Annotated[int, typer.Option(help="Of the questions.")] = 1,
    fake: Annotated[bool, typer.Option("--fake", help="Over the shipped fakes, which keep no states.")] = False,
) -> None:
    """Ask two replicas the same by three ways; then end one of them under load.

    The ways are the client's own choice, nginx with the lines of
    docs/operations.md, and nginx that takes turns. Compared are ratios within
    the run: tokens computed, questions scored away from their problem, shares
    of the replicas. A replica that gets SIGTERM loses nothing, and when it is
    started again its problems come back to it.

    Each part has two servers of its own, started on this machine and ended
    behind; nothing else should run meanwhile. It takes about four minutes on
    two cores, less than one with --fake. Exits with 1 where something is not as
    it must be. Where nginx is missing, what needs it is left out, and said.
    """
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    plan = Plan(problems, rounds, drained, callers, seed)
    has_nginx = nginx_program() is not None
    ways = _ways(plan, has_nginx=has_nginx, fake=fake)
    drains = _drains(plan, has_nginx=has_nginx, fake=fake)
    checks = _checks(ways, drains, fake=fake)
    facts = _facts(plan, time.monotonic() - began, has_nginx=has_nginx, fake=fake)
    typer.echo(write_report(out, ways, drains, checks, facts))
    crossed = [f"{name}: {check.name}" for name, found in checks.items() for check in found if not check.is_met]
    for each in crossed:
        console.print(f"not met: {each}")
    raise typer.Exit(1 if crossed else 0)


def _ways(plan: Plan, *, has_nginx: bool, fake: bool) -> list[Measured]:
    rounds = rounds_of(plan.problems, plan.rounds, plan.seed)
    found = []
    for name in WAYS:
        if name in NEED_NGINX and not has_nginx:
            console.print(f"{name}: {NO_NGINX}")
            continue
        found.append(measured_by(name, fake_servers if fake else real_servers, rounds, plan.callers))
        console.print(f"{name}: {found[-1].seconds:.1f} s, {found[-1].away:.0%} away from their problem")
    return found


def _drains(plan: Plan, *, has_nginx: bool, fake: bool) -> list[Drained]:
    rounds = rounds_of(plan.drained, MOST_ROUNDS, plan.seed)
    found = []
    for name in AFFINE:
        if name in NEED_NGINX and not has_nginx:
            console.print(f"drain, {name}: {NO_NGINX}")
            continue
        found.append(drain(name, fake_servers if fake else real_servers, rounds, plan.callers))
        console.print(
            f"drain, {name}: ended with {found[-1].status}, {found[-1].returned:.0%} of its problems came back"
        )
    return found


def _checks(ways: Sequence[Measured], drains: Sequence[Drained], *, fake: bool) -> Mapping[str, Sequence[Check]]:
    turns = next((way for way in ways if way.name not in AFFINE), None)
    keeps_states = not fake
    found = {way.name: checks_of_way(way, turns, keeps_states=keeps_states) for way in ways}
    found["all ways"] = same_scores(ways, DTYPE)
    return found | {f"drain, {each.name}": checks_of_drain(each, keeps_states=keeps_states) for each in drains}


def _facts(plan: Plan, took_s: float, *, has_nginx: bool, fake: bool) -> dict[str, Any]:
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    processor = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "?")
    return {
        "command": shlex.join(["python", "-m", "loadtests.replicas", *sys.argv[1:]]),
        "machine": f"{processor}, {os.cpu_count()} cores; Python {platform.python_version()}, "
        f"surefoot {version('surefoot')}",
        "replicas": "two of the shipped fakes, which keep no states: tokens computed say nothing"
        if fake
        else f"two of the embedded process model in {DTYPE}, a thread each, else the defaults",
        "asked": f"{plan.problems} problems in {plan.rounds} rounds, {plan.drained} in the drains, "
        f"{plan.callers} callers, seed {plan.seed}",
        "nginx": "as in docs/operations.md" if has_nginx else f"{', '.join(sorted(NEED_NGINX))} {NO_NGINX}",
        "took": f"{took_s / 60:.1f} min",
    }


if __name__ == "__main__":
    typer.run(main)

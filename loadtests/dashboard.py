"""`python -m loadtests.dashboard -o docs/images`: the dashboard of deploy/ over a real server under load, as pictures.

A real Prometheus scrapes the server while callers come in waves: groups to score and to rerank by both models, problems
to sample, work that comes again and requests that are wrong, in the middle more than the queue takes. Then every
panel's own queries are asked and drawn, a picture for each row: no Grafana is needed to see what it would show.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from loadtests.dashboard_panels import dashboard_rows
from loadtests.dashboard_pictures import draw_row
from loadtests.prometheus_server import Prometheus
from loadtests.surefoot_server import surefoot_server
from loadtests.workloads import Group, workload
from surefoot.evaluation.pictures import picture_paths

CONFIG = """
[[models]]
name = "prm"
profile = "embedded-prm"

[[models]]
name = "orm"
profile = "embedded-orm"

[generator]
engine = "transformers"
start = "startup"

[scheduler]
max_queue_tokens = 12000

[telemetry]
drift_reference = 200
drift_recent = 200
"""
SCRAPE_S, RATE_INTERVAL, STEP_S = 2, "20s", 3.0
MOST_CALLERS = 16
SAMPLED_TOKENS = 48
GROUP, MOST_STEPS = 6, 6
"""Candidates of a group, and steps of a candidate: small enough for two cores, as it is waves that are to be seen."""


class Callers:
    """So many at a time as the hour of their day says: few, many, few again."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url = url
        self._began = time.monotonic()
        self._seconds = seconds
        self._groups = [group for name in ("W1", "W3") for group in workload(name, 1, "", 0.3).waves[0]]
        self._groups = [Group(group.problem, tuple(map(_short, group.candidates[:GROUP]))) for group in self._groups]

    async def run(self) -> None:
        """All of them until the day is over."""
        await asyncio.gather(*(self._caller(number) for number in range(MOST_CALLERS)))

    def _share_of_day(self) -> float:
        return (time.monotonic() - self._began) / self._seconds

    async def _caller(self, number: int) -> None:
        rng = random.Random(number)  # noqa: S311  no secret
        headers = {"authorization": f"Bearer caller-{number % 4}"}
        async with httpx.AsyncClient(base_url=self._url, headers=headers, timeout=300) as client:
            while (share := self._share_of_day()) < 1:
                if number >= 2 + (MOST_CALLERS - 2) * math.sin(math.pi * share) ** 2:
                    await asyncio.sleep(0.5)
                    continue
                path, body = self._request(rng)
                answer = await client.post(path, json=body)
                if answer.status_code in (429, 503):
                    await asyncio.sleep(1 + rng.random())

    def _request(self, rng: random.Random) -> tuple[str, dict[str, Any]]:
        group = rng.choice(self._groups)
        problem = group.problem if rng.random() < 0.3 else f"[{rng.random()}] {group.problem}"
        kind = rng.choices(("score", "rerank", "best_of_n", "wrong", "late"), (50, 30, 6, 4, 10))[0]
        if kind == "rerank":
            candidates = ["\n".join(steps) for steps in group.candidates]
            return "/rerank", {"problem": problem, "candidates": candidates, "strategy": "process_outcome"}
        if kind == "best_of_n":
            return "/best_of_n", {"problem": group.problem, "sampling": {"n": 4, "max_tokens": SAMPLED_TOKENS}}
        if kind == "wrong":
            return "/score", {"items": rng.choice((3, [], [{"problem": problem}]))}
        return "/score", self._items(problem, group, rng) | ({"timeout_s": 0.05} if kind == "late" else {})

    @staticmethod
    def _items(problem: str, group: Group, rng: random.Random) -> dict[str, Any]:
        model = rng.choice(("prm", "prm", "orm"))
        items = [{"problem": problem, "steps": list(steps)} for steps in group.candidates]
        return {"model": model, "items": items, "priority": rng.choice(("interactive", "bulk"))}


def _short(steps: Sequence[str]) -> tuple[str, ...]:
    """The beginning of a solution with its end."""
    return (*steps[:-1][: MOST_STEPS - 1], steps[-1])


def main(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the pictures.", file_okay=False)],
    minutes: Annotated[float, typer.Option(help="How long the load lasts.", min=1.0)] = 6.0,
) -> None:
    """Draw every row of the dashboard from a real Prometheus over a real server under load."""
    if shutil.which("prometheus") is None:
        raise typer.BadParameter("there is no program prometheus: install Prometheus 2 first")
    out.mkdir(parents=True, exist_ok=True)
    with surefoot_server(CONFIG) as server, tempfile.TemporaryDirectory(prefix="surefoot-prometheus-") as scratch:
        prometheus = Prometheus(Path(scratch), server.url, scrape_s=SCRAPE_S)
        try:
            prometheus.wait_for("surefoot_start_time_seconds")
            began = time.time()
            asyncio.run(Callers(server.url, 60 * minutes).run())
            ended = time.time()
            ask = partial(prometheus.query_range, begin=began, end=ended, step_s=STEP_S)
            for title, panels in dashboard_rows(RATE_INTERVAL).items():
                paths = picture_paths(out, f"dashboard-{re.sub(r'[^a-z]+', '-', title.lower())}")
                draw_row(panels, ask, (began, ended), paths)
                typer.echo("\n".join(f"{path}: {path.stat().st_size / 1000:.0f} kB" for path in paths))
        finally:
            prometheus.close()


if __name__ == "__main__":
    typer.run(main)

"""The options of `surefoot score` that say where rows are worked on; Ray is imported only where it is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from surefoot.cli.jsonl_command import Elsewhere, Prepared
from surefoot.cli.jsonl_run import RowShape
from surefoot.cli.service import Build, own_settings
from surefoot.errors import EngineMissing
from surefoot_client import AsyncSurefootClient

Engine = Literal["local", "ray"]
_RAY = "Ray"
DEFAULT_WINDOW = 4096


def _known_engine(value: str) -> str:
    if value not in get_args(Engine):
        raise typer.BadParameter(f"choose from {', '.join(get_args(Engine))}")
    return value


def _address(value: str | None) -> str | None:
    if value is not None and value.startswith("ray://"):
        raise typer.BadParameter("run the command on a node of the cluster, which reads IN.jsonl, and give auto")
    return value


EngineOption = Annotated[
    str,
    typer.Option(
        callback=_known_engine, help="Where rows are scored: local (this process, or --url), or ray (workers on Ray)."
    ),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        callback=_address,
        help="A Ray cluster: auto for the one that this machine is a node of, or host:port. "
        "Without it Ray looks itself (RAY_ADDRESS, one on this machine), and else starts one here for this run.",
        rich_help_panel=_RAY,
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1, help="Processes with the models loaded; default: as many as there is room for.", rich_help_panel=_RAY
    ),
]
CpusOption = Annotated[
    float | None,
    typer.Option(
        min=0, help="CPUs that a worker has, and threads that it computes with; default 1.", rich_help_panel=_RAY
    ),
]
GpusOption = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="GPUs that a worker has; 0.5 puts two on one; default: 1 where the cluster has GPUs.",
        rich_help_panel=_RAY,
    ),
]
WindowOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Solutions of one problem within so many lines go to one worker together, which computes what they share "
        f"once; as many rows are held until they can be written in order; default {DEFAULT_WINDOW}.",
        rich_help_panel=_RAY,
    ),
]


@dataclass(frozen=True, slots=True)
class BulkEngine:
    """What was asked for; an option that was not given is `None`."""

    engine: str
    address: str | None
    workers: int | None
    cpus: float | None
    gpus: float | None
    window: int | None

    def check(self, url: str | None) -> None:
        """Refuse what does not go together; raises `typer.BadParameter` and `EngineMissing`."""
        given = {
            "--ray-address": self.address,
            "--workers": self.workers,
            "--cpus-per-worker": self.cpus,
            "--gpus-per-worker": self.gpus,
            "--window": self.window,
        }
        named = [name for name, value in given.items() if value is not None]
        if self.engine != "ray":
            if named:
                raise typer.BadParameter("it is for --engine ray", param_hint=named[0])
            return
        if url is not None:
            raise typer.BadParameter("workers of --engine ray load the models themselves", param_hint="--url")
        if find_spec("ray") is None or find_spec("pyarrow") is None:
            raise EngineMissing("--engine ray needs Ray Data: pip install 'surefoot[ray]'", param="--engine")

    def workers_of(
        self,
        config: Path | None,
        build: Build,
        prepare: Callable[[AsyncSurefootClient], Awaitable[Prepared]],
        shape: RowShape,
        batch_size: int,
        concurrency: int,
    ) -> Callable[[], AbstractContextManager[Elsewhere]] | None:
        """What starts the workers; `None` where the work is done in this process."""
        if self.engine != "ray":
            return None

        def start() -> AbstractContextManager[Elsewhere]:
            from surefoot.cli.bulk_worker import WorkerPlan
            from surefoot.cli.ray_engine import RayOptions, ray_workers

            plan = WorkerPlan(own_settings(config, samples=False), build, prepare, shape, batch_size)
            chosen = RayOptions(
                self.address,
                self.workers,
                1.0 if self.cpus is None else self.cpus,
                self.gpus,
                self.window or DEFAULT_WINDOW,
                concurrency,
            )
            return ray_workers(plan, chosen)

        return start

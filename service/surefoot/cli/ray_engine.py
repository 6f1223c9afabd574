"""`surefoot score --engine ray`: units of rows through workers on a Ray cluster, by Ray Data."""

from __future__ import annotations

import logging
import math
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import ray
import ray.data
import typer
from ray.data import ActorPoolStrategy, DataContext, Dataset
from ray.exceptions import RayError, RayTaskError

from surefoot.cli.bulk_order import OrderedRows
from surefoot.cli.bulk_units import windows
from surefoot.cli.bulk_worker import Stopped, WorkerPlan, described
from surefoot.cli.jsonl_command import Stage
from surefoot.cli.ray_blocks import RayWorker, UnitSource, answers_in
from surefoot.errors import ClusterUnavailable, SurefootError, WorkersDiffer, WorkersLost
from surefoot.settings import Settings
from surefoot_client import SurefootError as ClientError
from surefoot_client.error_table import error_class

MAX_DEATHS = 3
"""How often a unit is given to another worker when the one that had it is lost: a row that ends every worker which
reads it would otherwise keep a cluster busy for ever."""

_READERS = 2


@dataclass(frozen=True, slots=True)
class RayOptions:
    """Where workers run and how many; `None` leaves it to the cluster: all that fit, a GPU each where there are GPUs.

    `concurrency` units are under way in a worker at a time; `window` lines of the file are put together by problem.
    """

    address: str | None
    workers: int | None
    cpus: float
    gpus: float | None
    window: int
    concurrency: int


@dataclass(frozen=True, slots=True)
class Pool:
    """Workers on a cluster: those that have room now, and those that are wanted."""

    room: int
    wanted: int
    cpus: float
    gpus: float


@contextmanager
def ray_workers(plan: WorkerPlan, options: RayOptions) -> Iterator[RayWorkers]:
    """Workers on a cluster that is there, or on one of this machine's that ends with the run.

    One worker starts alone and tells what its models are: on that depends whether a file may be continued, and a
    model that cannot be loaded is said once. Raises that worker's own error, `ClusterUnavailable` or `WorkersLost`.
    """
    plan = replace(plan, settings=_portable(plan.settings))
    with _cluster(options.address):
        pool = _pool(options, _nodes(), wants_gpu=plan.settings.device != "cpu")
        if pool.room < pool.wanted:
            typer.echo(f"surefoot: the cluster has room for {pool.room} of the {pool.wanted} workers now", err=True)
        yield RayWorkers(plan, options, pool, _described(plan, pool))


@dataclass(frozen=True, slots=True)
class RayWorkers:
    """`Elsewhere` on a Ray cluster."""

    plan: WorkerPlan
    options: RayOptions
    pool: Pool
    depends_on: dict[str, object]

    def run(self, stage: Stage) -> None:
        """Work on a stage; raises what a worker cannot go on for, and `WorkersLost`, with whole rows written."""
        found = windows(stage.source, stage.first, stage.numbers, self.options.window)
        if not found:
            return
        rows = OrderedRows(chain.from_iterable(window.numbers for window in found), stage.write, stage.count)
        source = UnitSource(stage.source, found, stage.options, self.plan.shape, self.plan.batch_size)
        try:
            for block in self._answered(source, len(found)).iter_batches(batch_size=None, batch_format="pyarrow"):
                for answer in answers_in(block):
                    if isinstance(answer, Stopped):
                        raise _error_of(answer)
                    rows.add(answer)
        except RayError as cause:
            raise WorkersLost(
                f"workers ended {MAX_DEATHS + 1} times over the same rows, or the cluster did "
                f"({type(cause).__name__}); memory is the usual reason: Ray's logs tell"
            ) from cause
        if rows.awaited is not None:
            raise WorkersLost(f"no worker answered line {rows.awaited}")

    def _answered(self, source: UnitSource, num_windows: int) -> Dataset:
        context = DataContext.get_current()
        context.enable_progress_bars = False
        # A unit is a block of its own, however small: what Ray Data gives to an actor at a time is a block.
        context.target_max_block_size = 1
        # So that the results of a window which is slow are kept by Ray, on disk if need be, and not in this process.
        context.execution_options.preserve_order = True
        read = ray.data.read_datasource(
            source, override_num_blocks=num_windows, num_cpus=0, concurrency=min(_READERS, num_windows)
        )
        strategy = ActorPoolStrategy(
            min_size=min(self.pool.room, self.pool.wanted),
            max_size=self.pool.wanted,
            max_concurrent_calls_per_actor=self.options.concurrency,
            enable_true_multi_threading=True,
        )
        with warnings.catch_warnings():
            # Ray Data has no other way yet to bound how often a task is tried.
            warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")
            return read.map_batches(
                RayWorker,
                fn_constructor_args=(self.plan, self.depends_on),
                batch_size=None,
                batch_format="pyarrow",
                compute=strategy,
                num_cpus=self.pool.cpus,
                num_gpus=self.pool.gpus,
                max_restarts=-1,
                max_task_retries=MAX_DEATHS,
            )


@contextmanager
def _cluster(address: str | None) -> Iterator[None]:
    # Whoever wants to send reports, or to see a dashboard, has their own cluster for it.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(
            address, include_dashboard=None if address else False, log_to_driver=False, logging_level=logging.ERROR
        )
    except Exception as cause:  # a start that takes too long is a bare Exception
        ray.shutdown()
        raise ClusterUnavailable(
            f"no Ray cluster at {address}: {_first_line(cause)}"
            if address
            else f"Ray does not start: {_first_line(cause)}",
            param="--ray-address",
        ) from cause
    _quieten()
    try:
        yield
    finally:
        ray.shutdown()


def _pool(options: RayOptions, nodes: list[Mapping[str, float]], *, wants_gpu: bool) -> Pool:
    """How many workers fit onto `nodes`, which are what each one has; raises `ClusterUnavailable` where none does."""
    has_gpu = any(node.get("GPU", 0) > 0 for node in nodes)
    gpus = options.gpus if options.gpus is not None else float(has_gpu and wants_gpu)
    wanted = {name: amount for name, amount in (("CPU", options.cpus), ("GPU", gpus)) if amount > 0}
    room = sum(_times(node, wanted) for node in nodes)
    if room == 0:
        offered = ", ".join(f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in nodes)
        raise ClusterUnavailable(
            f"no node has room for a worker of {options.cpus:g} CPU and {gpus:g} GPU; they have "
            f"{offered or 'nothing'}: give less to --cpus-per-worker or --gpus-per-worker",
        )
    return Pool(room, options.workers or room, options.cpus, gpus)


def _times(node: Mapping[str, float], wanted: Mapping[str, float]) -> int:
    return min((math.floor(node.get(name, 0) / amount) for name, amount in wanted.items()), default=1)


def _nodes() -> list[Mapping[str, float]]:
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _described(plan: WorkerPlan, pool: Pool) -> dict[str, object]:
    # Its process ends with it, so that it leaves no memory of a GPU behind.
    task: Any = ray.remote(num_cpus=pool.cpus, num_gpus=pool.gpus, max_calls=1, max_retries=MAX_DEATHS)(described)
    try:
        found: dict[str, object] = ray.get(task.remote(plan))
    except RayTaskError as error:
        if isinstance(error.cause, (SurefootError, ClientError)):
            raise error.cause from None
        raise
    except RayError as cause:
        raise WorkersLost(f"the first worker ended while it loaded its models ({type(cause).__name__})") from cause
    return found


def _error_of(stopped: Stopped) -> SurefootError | ClientError:
    if stopped.code == WorkersDiffer.code:
        return WorkersDiffer(stopped.message)
    return error_class(stopped.code, 500)(stopped.message, code=stopped.code)


def _portable(settings: Settings) -> Settings:
    """The same values without the sources that they came from, which are classes of this process."""
    return Settings.model_construct(**{name: getattr(settings, name) for name in Settings.model_fields})


def _quieten() -> None:
    """Keep Ray Data's log to its files: what goes wrong is told once, and progress is shown as of every run."""
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.CRITICAL + 1)


def _first_line(cause: Exception) -> str:
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__

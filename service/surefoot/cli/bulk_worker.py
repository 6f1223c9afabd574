"""A worker of a bulk run: the whole service in its process, and units of rows through it as requests of a client.

It is made and called by threads, and knows nothing of what sends it the units.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

from surefoot.cli.jsonl_command import Prepared
from surefoot.cli.jsonl_run import Failure, Line, RowShape, answered, read_row, written_row
from surefoot.cli.service import FOR_FILES, Build, in_process
from surefoot.errors import SurefootError, WorkersDiffer
from surefoot.settings import Settings
from surefoot_client import AsyncSurefootClient
from surefoot_client import SurefootError as ClientError

T = TypeVar("T")

CLOSING_S = 30.0
"""Seconds for letting go of models; the process ends anyhow."""


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """What a worker is made of. It is sent to other processes, so all of it can be pickled."""

    settings: Settings
    build: Build
    prepare: Callable[[AsyncSurefootClient], Awaitable[Prepared]]
    shape: RowShape
    batch_size: int


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """A row of the output; `failure` is its error, if it has one."""

    number: int
    written: bytes
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why a worker cannot go on, which is no fault of a row."""

    code: str
    message: str


class BulkWorker:
    """The service, started and ready, with an event loop of its own. Calls may come from several threads at a time.

    What goes wrong at the start is kept and answered to every call: whoever sends units learns of it in one way.
    """

    def __init__(self, plan: WorkerPlan, expected: Mapping[str, object] | None = None) -> None:
        self._plan = plan
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="surefoot-bulk", daemon=True)
        self._thread.start()
        self._service = AsyncExitStack()
        self._start: Prepared | SurefootError | ClientError
        try:
            self._start = self._wait(self._begin())
        except (SurefootError, ClientError) as error:
            self._start = error
        else:
            if expected is not None and self._start.depends_on != expected:
                self._start = _differing(self._start.depends_on, expected)

    @property
    def depends_on(self) -> dict[str, object]:
        """`Prepared.depends_on`; raises what went wrong at the start."""
        return self._prepared().depends_on

    def answer(self, lines: Sequence[Line]) -> list[WrittenRow] | Stopped:
        """The rows of a unit as they are to be written, or why there are none."""
        try:
            return self._wait(self._answer(lines, self._prepared()))
        except (SurefootError, ClientError) as error:
            return Stopped(getattr(error, "code", "internal_error"), error.message)

    def close(self) -> None:
        """Let go of the models."""
        try:
            self._wait(self._service.aclose(), CLOSING_S)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _prepared(self) -> Prepared:
        if isinstance(self._start, Prepared):
            return self._start
        raise self._start

    async def _begin(self) -> Prepared:
        opened = in_process(self._plan.settings, self._plan.build, FOR_FILES)
        return await self._plan.prepare(await self._service.enter_async_context(opened))

    async def _answer(self, lines: Sequence[Line], prepared: Prepared) -> list[WrittenRow]:
        rows = (read_row(line, self._plan.shape) for line in lines)
        # One request after the other: they are of one problem, or few, and the next one finds what the last one left.
        batches = answered(rows, prepared.work, batch_size=self._plan.batch_size, concurrency=1)
        return [
            WrittenRow(row.line.number, written_row(row, outcome), outcome if isinstance(outcome, Failure) else None)
            async for pairs in batches
            for row, outcome in pairs
        ]

    def _wait(self, work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)


def described(plan: WorkerPlan) -> dict[str, object]:
    """`Prepared.depends_on` of the service that workers will run; raises why it cannot be started."""
    worker = BulkWorker(plan)
    try:
        return worker.depends_on
    finally:
        worker.close()


def _differing(found: Mapping[str, object], expected: Mapping[str, object]) -> WorkersDiffer:
    names = [name for name in expected if found.get(name) != expected[name]]
    shown = "; ".join(f"{name}: {found.get(name)} here, {expected[name]} there" for name in names)
    return WorkersDiffer(f"a worker's models are not those of the first one ({shown}); use nodes of one kind")

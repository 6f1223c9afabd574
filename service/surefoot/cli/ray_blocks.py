"""Units and answers as blocks of Ray Data: a unit is one row of a block, so that it is one task of one actor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
from ray.data import Datasource
from ray.data.block import BlockMetadata
from ray.data.datasource import ReadTask

from surefoot.cli.bulk_units import Window, rows_of, units
from surefoot.cli.bulk_worker import BulkWorker, Stopped, WorkerPlan, WrittenRow
from surefoot.cli.jsonl_run import Failure, Line, RowShape

_UNIT = pa.schema(
    {"numbers": pa.list_(pa.int64()), "raw": pa.list_(pa.large_binary()), "digests": pa.list_(pa.string())}
)
_ANSWER = pa.schema(
    {
        "numbers": pa.list_(pa.int64()),
        "written": pa.list_(pa.large_binary()),
        "failures": pa.list_(pa.string()),
        "stopped": pa.string(),
    }
)


class UnitSource(Datasource):  # type: ignore[misc]
    """A file as units: a read task for each window, on the machine of the command, where the file is."""

    def __init__(self, path: Path, windows: Sequence[Window], options: str, shape: RowShape, unit_size: int) -> None:
        super().__init__()
        self._num_bytes = path.stat().st_size
        self._windows = windows
        self._read: Callable[[Window], Iterator[pa.Table]] = partial(
            _read, path=path.absolute(), options=options, shape=shape, unit_size=unit_size
        )

    @property
    def supports_distributed_reads(self) -> bool:
        return False

    def estimate_inmemory_data_size(self) -> int:
        return self._num_bytes

    def get_read_tasks(
        self,
        parallelism: int,  # noqa: ARG002
        per_task_row_limit: int | None = None,  # noqa: ARG002
        data_context: object = None,  # noqa: ARG002
    ) -> list[ReadTask]:
        """A task a window, in their order."""
        size = self._num_bytes // len(self._windows)
        # What a task reads is known when it has read.
        metadata = BlockMetadata(num_rows=None, size_bytes=size, input_files=None, exec_stats=None)
        return [ReadTask(partial(self._read, window), metadata) for window in self._windows]


def _read(window: Window, *, path: Path, options: str, shape: RowShape, unit_size: int) -> Iterator[pa.Table]:
    for unit in units(rows_of(path, window, options, shape), unit_size):
        yield unit_block([row.line for row in unit])


class RayWorker:
    """`BulkWorker` as Ray Data makes and calls it: blocks in, blocks out."""

    def __init__(self, plan: WorkerPlan, expected: Mapping[str, object]) -> None:
        self._worker = BulkWorker(plan, expected)

    def __call__(self, block: pa.Table) -> pa.Table:
        """An answer for each unit of the block."""
        return pa.concat_tables([answer_block(self._worker.answer(unit)) for unit in units_in(block)])

    def __del__(self) -> None:
        # What Ray Data does when an actor is no longer needed.
        if hasattr(self, "_worker"):
            self._worker.close()


def unit_block(lines: Sequence[Line]) -> pa.Table:
    """One unit."""
    unit = {"numbers": [line.number for line in lines], "raw": [line.raw for line in lines]}
    return pa.Table.from_pylist([unit | {"digests": [line.digest for line in lines]}], _UNIT)


def units_in(block: pa.Table) -> Iterator[list[Line]]:
    """The units of a block."""
    for unit in block.to_pylist():
        yield [Line(*line) for line in zip(unit["numbers"], unit["raw"], unit["digests"], strict=True)]


def answer_block(answer: Sequence[WrittenRow] | Stopped) -> pa.Table:
    """The answer to one unit."""
    if isinstance(answer, Stopped):
        return pa.Table.from_pylist([{"stopped": json.dumps([answer.code, answer.message])}], _ANSWER)
    failures = [None if row.failure is None else json.dumps([row.failure.code, row.failure.message]) for row in answer]
    rows = {"numbers": [row.number for row in answer], "written": [row.written for row in answer]}
    return pa.Table.from_pylist([rows | {"failures": failures}], _ANSWER)


def answers_in(block: pa.Table) -> Iterator[list[WrittenRow] | Stopped]:
    """The answers of a block."""
    for answer in block.to_pylist():
        if answer["stopped"] is not None:
            yield Stopped(*json.loads(answer["stopped"]))
            continue
        fields = zip(answer["numbers"], answer["written"], answer["failures"], strict=True)
        yield [
            WrittenRow(number, written, None if failure is None else Failure(*json.loads(failure)))
            for number, written, failure in fields
        ]

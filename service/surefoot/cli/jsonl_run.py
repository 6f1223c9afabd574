"""Runs over JSONL files: one row out for each line in, in order, written batch by batch, resumed where it stopped.

A row out is `{"line": n, "digest": "…", "id"?: …, "extra"?: {…}, "result": {…}}`, or `"error": {"code", "message"}` in
place of `result`. `line` counts from 1. `digest` ties it to the input line and to the run's options, so that a run is
never continued with another input or model.
"""

from __future__ import annotations

import asyncio
import codecs
import hashlib
import json
import math
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO, NoReturn

from surefoot_client.bulk import in_order_async

SHOWN_FAILURES = 10
"""How many failed rows the summary names by line; their number alone is bounded by nothing."""

_ROW_BEGINS = b'{"line": '


class OutputMismatch(ValueError):
    """The output file was not written by a run over this input with these options."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a row has no result."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the input as it stands there; `digest` is 16 hex digits."""

    number: int
    raw: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line read: what to send, or why it cannot be sent, and what is only carried along."""

    line: Line
    item: Mapping[str, object] | Failure
    carried: Mapping[str, object] = field(default_factory=dict)


Outcome = Mapping[str, object] | Failure
Work = Callable[[Sequence[Mapping[str, object]]], Awaitable[Sequence[Outcome]]]
"""From the items of a batch to one outcome for each, in order."""


@dataclass(frozen=True, slots=True)
class RowShape:
    """The fields of a row that are sent; `refusal` says what is wrong with them, if anything.

    A field that is null is not there, except for `nullable` ones.
    """

    fields: tuple[str, ...]
    refusal: Callable[[Mapping[str, object]], str | None]
    nullable: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """What has been written; `resumed` of the `rows` were there before, `retried` of these were worked on again.

    `shown` names the first failed lines.
    """

    rows: int = 0
    resumed: int = 0
    retried: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    shown: list[tuple[int, Failure]] = field(default_factory=list)

    def add(self, number: int, failure: Failure | None) -> None:
        """Count a row."""
        self.rows += 1
        if failure is not None:
            self.failed[failure.code] += 1
            if len(self.shown) < SHOWN_FAILURES:
                self.shown.append((number, failure))

    def summary(self, seconds: float) -> dict[str, Any]:
        """As JSON; `items_per_s` is of this run alone."""
        num_failed = self.failed.total()
        return {
            "rows": self.rows,
            "succeeded": self.rows - num_failed,
            "failed": num_failed,
            "failed_by_code": dict(sorted(self.failed.items())),
            "first_failures": [
                {"line": number, "code": failure.code, "message": failure.message} for number, failure in self.shown
            ],
            "resumed": self.resumed,
            "retried": self.retried,
            "seconds": round(seconds, 3),
            "items_per_s": round((self.rows - self.resumed + self.retried) / seconds, 3) if seconds > 0 else 0.0,
        }


def read_lines(source: Iterable[bytes], options: str, first: int = 1) -> Iterator[Line]:
    """The lines of a file without their ends; `options` is what the results depend on beside the line.

    `first` is the number of the first line that `source` gives.
    """
    salt = hashlib.sha256(options.encode()).digest()
    for number, ended in enumerate(source, start=first):
        raw = ended.rstrip(b"\r\n")
        yield Line(number, raw, hashlib.sha256(salt + raw).hexdigest()[:16])


def read_row(line: Line, shape: RowShape) -> Row:
    """The row on a line; fields that are not sent are carried along, `id` as it is and the others as `extra`."""
    try:
        text = line.raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        return Row(line, Failure("invalid_json", "the line is not JSON in UTF-8"))
    if not isinstance(value, dict):
        return Row(line, Failure("invalid_row", "the line is not a JSON object"))
    given = {name: entry for name, entry in value.items() if entry is not None or name in shape.nullable}
    carried = {"id": given["id"]} if "id" in given else {}
    extra = {name: entry for name, entry in given.items() if name not in (*shape.fields, "id")}
    if extra:
        carried["extra"] = extra
    item = {name: given[name] for name in shape.fields if name in given}
    refusal = shape.refusal(item)
    return Row(line, item if refusal is None else Failure("invalid_row", refusal), carried)


def written_row(row: Row, outcome: Outcome) -> bytes:
    """A row of the output. Pure ASCII: JSON can spell half characters that no encoding can."""
    if isinstance(outcome, Failure):
        tail: dict[str, object] = {"error": {"code": outcome.code, "message": outcome.message}}
    else:
        tail = {"result": outcome}
    head = {"line": row.line.number, "digest": row.line.digest}
    return json.dumps({**head, **row.carried, **tail}, allow_nan=False).encode("ascii") + b"\n"


def resume(output: BinaryIO, lines: Iterator[Line]) -> Tally:
    """Step over the lines that have their row already, cut off a row that is half written, and stand at the end.

    Raises `OutputMismatch`, before anything is changed, for a file that this run did not begin.
    """
    tally = Tally()
    kept = 0
    for line, written, failure in written_rows(output, lines):
        tally.add(line.number, failure)
        kept += len(written)
    tally.resumed = tally.rows
    output.truncate(kept)
    output.seek(kept)
    return tally


def written_rows(output: Iterable[bytes], lines: Iterator[Line]) -> Iterator[tuple[Line, bytes, Failure | None]]:
    """The whole rows of an output, each with its line and its error if it has one; a half written last row is none.

    Raises `OutputMismatch` at the first row that is not that of its line.
    """
    for number, written in enumerate(output, start=1):
        if not written.endswith(b"\n"):
            if written[: len(_ROW_BEGINS)] != _ROW_BEGINS[: len(written)]:
                raise OutputMismatch(f"its line {number} is not a row of such a run")
            return
        line = next(lines, None)
        if line is None:
            raise OutputMismatch("it has more rows than the input has lines")
        yield line, written, _failure_of(written, line)


async def run(
    rows: Iterator[Row],
    work: Work,
    write: Callable[[bytes], object],
    count: Callable[[int, Failure | None], None],
    *,
    batch_size: int,
    concurrency: int,
) -> None:
    """Work on all rows, and write each batch when those before it are written.

    Errors of `work` end the run with whole batches written. `count` hears of each row once it is written.
    """
    async with aclosing(answered(rows, work, batch_size=batch_size, concurrency=concurrency)) as batches:
        async for pairs in batches:
            write(b"".join(written_row(row, outcome) for row, outcome in pairs))
            for row, outcome in pairs:
                count(row.line.number, outcome if isinstance(outcome, Failure) else None)


async def answered(
    rows: Iterator[Row], work: Work, *, batch_size: int, concurrency: int
) -> AsyncGenerator[list[tuple[Row, Outcome]], None]:
    """All rows with their outcomes, batch by batch in order; `concurrency` batches are worked on at a time.

    Errors of `work` are raised in the place of their batch.
    """

    async def answer(batch: Sequence[Row]) -> list[tuple[Row, Outcome]]:
        outcomes = iter(await work(items) if (items := _items(batch)) else ())
        return [(row, row.item if isinstance(row.item, Failure) else next(outcomes)) for row in batch]

    source = _batches(rows, batch_size)
    async with aclosing(source), aclosing(in_order_async(source, answer, concurrency)) as batches:
        async for pairs in batches:
            yield pairs


def _items(batch: Sequence[Row]) -> list[Mapping[str, object]]:
    return [row.item for row in batch if not isinstance(row.item, Failure)]


async def _batches(rows: Iterator[Row], size: int) -> AsyncGenerator[list[Row], None]:
    # In a thread, because reading a pipe may wait, and what is under way must not wait with it.
    while batch := await asyncio.to_thread(lambda: list(islice(rows, size))):
        yield batch


def _failure_of(written: bytes, line: Line) -> Failure | None:
    """The error of a written row if it has one, after a check that it belongs to `line`."""
    try:
        row = json.loads(written)
        number, digest, error = row["line"], row["digest"], row.get("error")
        failure = None if error is None else Failure(str(error["code"]), str(error["message"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise OutputMismatch(f"its line {line.number} is not a row of such a run") from None
    if number != line.number:
        raise OutputMismatch(f"its line {line.number} holds another line's row")
    if digest != line.digest:
        raise OutputMismatch(f"its row {line.number} was made from another input line, model or option")
    return failure


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")

"""Working again on failed rows of an output: it is replaced in one step, and until then stays as it was."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from surefoot.cli.jsonl_run import Line, read_lines, written_rows
from surefoot_client import ERRORS_BY_CODE


def is_retryable(code: str) -> bool:
    """Whether a row that failed with this code may succeed later."""
    return code in ERRORS_BY_CODE and ERRORS_BY_CODE[code].retryable


def lines_to_retry(output: Path, source: Path, options: str) -> list[int]:
    """Numbers of the lines whose written row is a retryable failure, rising.

    Raises `OutputMismatch` for an output that was not written from `source` with `options`.
    """
    with output.open("rb") as written, source.open("rb") as lines:
        return [
            line.number
            for line, _, failure in written_rows(written, read_lines(lines, options))
            if failure is not None and is_retryable(failure.code)
        ]


@contextmanager
def retrying(
    output: Path, source: Path, options: str, numbers: Sequence[int]
) -> Iterator[tuple[Iterator[Line], Callable[[bytes], object]]]:
    """Gives the lines of these numbers, and what takes their new rows, in that order; puts these in their places.

    However it is left, interrupted too, what was written is kept; the other rows stay failed.
    """
    wanted = frozenset(numbers)
    with _nameless_file_beside(output) as again, source.open("rb") as lines:
        try:
            yield (line for line in read_lines(lines, options) if line.number in wanted), again.write
        finally:
            again.seek(0)
            put_in_place(output, numbers, again)


def put_in_place(output: Path, numbers: Sequence[int], again: BinaryIO) -> None:
    """Replace the rows of the first of `numbers` by the whole rows of `again`: all of them, or on an error none."""
    fresh = zip(numbers, (row for row in again if row.endswith(b"\n")), strict=False)
    upcoming = next(fresh, None)
    if upcoming is None:
        return
    target = output.resolve()
    # Always the same name, so that what a killed process leaves is overwritten by the next.
    beside = target.with_name(f".{target.name}.retried")
    try:
        with target.open("rb") as written, beside.open("wb") as merged:
            shutil.copymode(target, beside)
            for number, row in enumerate(written, start=1):
                if upcoming is not None and upcoming[0] == number:
                    merged.write(upcoming[1])
                    upcoming = next(fresh, None)
                else:
                    merged.write(row)
            merged.flush()
            os.fsync(merged.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _nameless_file_beside(output: Path) -> BinaryIO:
    """Where there is room for results; gone with this process, however that ends."""
    return tempfile.TemporaryFile(dir=output.resolve().parent)

"""Files in and out of a verb that makes data: rows with their line numbers, and files that appear when whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from surefoot.cli.failures import FileFailed
from surefoot.cli.jsonl_run import Failure, RowShape, Tally, read_lines, read_row

Read = TypeVar("Read")

_PART = ".part"


def read_file(
    source: str, path: Path, read: Callable[[Mapping[str, Any]], Read], tally: Tally, advance: Callable[[], None]
) -> Iterator[tuple[int, Read]]:
    """What `read` makes of each line's object, with the number of the line; a `ValueError` of it is a failed row.

    Raises `FileFailed`, which names `source`.
    """
    everything = RowShape((), lambda _: None)
    try:
        with path.open("rb") as lines:
            for line in read_lines((line for line in lines), ""):
                advance()
                if not line.raw.strip():
                    continue
                row = read_row(line, everything)
                failure = row.item if isinstance(row.item, Failure) else None
                if failure is None:
                    try:
                        # Read once more as it stands: a row leaves out what is null, which says something here.
                        found = read(json.loads(line.raw.decode("utf-8-sig")))
                    except ValueError as cause:
                        failure = Failure("invalid_row", f"{source}: {cause}")
                tally.add(line.number, failure)
                if failure is None:
                    yield line.number, found
    except OSError as cause:
        raise FileFailed(f"{source} cannot be read: {cause.strerror}") from cause


def write_files(directory: Path, files: Mapping[str, Iterable[str]]) -> list[Path]:
    """Write all files, each beside its place first, and put them there when the last one is whole.

    Raises `FileFailed`, and then no file of these names is new or changed.
    """
    parts = {directory / name: directory / f".{name}{_PART}" for name in files}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for part, pieces in zip(parts.values(), files.values(), strict=True):
            with part.open("w", encoding="utf-8") as written:
                written.writelines(pieces)
        for path, part in parts.items():
            part.replace(path)
    except OSError as cause:
        raise FileFailed(f"{directory} cannot be written: {cause.strerror}; nothing in it was changed") from cause
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return list(parts)

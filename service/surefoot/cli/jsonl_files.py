"""The files that the verbs over JSONL read and write: standard streams, pipes, and rows that are shown instead."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

_CHUNK_BYTES = 1 << 20


@contextmanager
def opened_source(path: Path) -> Iterator[BinaryIO]:
    """The input as bytes; standard input stays open."""
    if str(path) == "-":
        yield sys.stdin.buffer
    else:
        with path.open("rb") as source:
            yield source


@contextmanager
def seekable(path: Path) -> Iterator[Path]:
    """A file that can be read from any place: `path` itself, or of a pipe a copy, for as long as it is needed."""
    if path.is_file():
        yield path
        return
    with opened_source(path) as source, tempfile.NamedTemporaryFile(prefix="surefoot-", suffix=".jsonl") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield Path(copy.name)


@contextmanager
def opened_output(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """The output as bytes, at its beginning, with what is in it unless it is to be overwritten."""
    if str(path) == "-":
        yield sys.stdout.buffer
        return
    with path.open("w+b" if overwrite or not path.exists() else "r+b") as output:
        yield output


def num_lines(path: Path) -> int | None:
    """How many lines a file has, an unended last one included; `None` for standard input and other pipes."""
    if str(path) == "-" or not path.is_file():
        return None
    count, last = 0, b"\n"
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK_BYTES):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")


@dataclass(frozen=True, slots=True)
class ShownRows:
    """A file to write rows into, which shows each of them."""

    show: Callable[[dict[str, Any]], None]

    def write(self, rows: bytes) -> int:
        for row in rows.splitlines():
            self.show(json.loads(row))
        return len(rows)

    def flush(self) -> None:
        sys.stdout.flush()

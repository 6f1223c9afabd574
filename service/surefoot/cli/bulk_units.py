"""Cutting a file for many workers: windows of its lines, and in each the problems, whole, put together into units.

A window bounds what is held until it can be written in order. A unit is what one worker gets: every solution of a
problem that stands in the window, so that the worker computes the problem and what the solutions share once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from surefoot.cli.jsonl_run import Row, RowShape, read_lines, read_row
from surefoot_client.inputs import affinity_of

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Window:
    """Lines of a file from the one numbered `first`, which begins at the byte `offset`, to `last`; all, or `wanted`."""

    offset: int
    first: int
    last: int
    wanted: frozenset[int] | None = None

    @property
    def numbers(self) -> Sequence[int]:
        """Of its lines, rising."""
        return range(self.first, self.last + 1) if self.wanted is None else sorted(self.wanted)


def windows(path: Path, first: int, wanted: Sequence[int] | None, size: int) -> list[Window]:
    """The file from the line `first` on in windows of `size` lines that are wanted: all, or those numbered so (rising).

    Reads the file once, and keeps nothing of it.
    """
    found: list[Window] = []
    chosen = None if wanted is None else frozenset(wanted)
    numbers: list[int] = []
    begins = offset = 0
    with path.open("rb") as source:
        for number, line in enumerate(source, start=1):
            if number >= first and (chosen is None or number in chosen):
                if not numbers:
                    begins = offset
                numbers.append(number)
                if len(numbers) == size:
                    found.append(_window(begins, numbers, every=chosen is None))
                    numbers = []
            offset += len(line)
    return [*found, _window(begins, numbers, every=chosen is None)] if numbers else found


def _window(offset: int, numbers: Sequence[int], *, every: bool) -> Window:
    return Window(offset, numbers[0], numbers[-1], None if every else frozenset(numbers))


def rows_of(path: Path, window: Window, options: str, shape: RowShape) -> list[Row]:
    """The rows on the lines of a window."""
    with path.open("rb") as source:
        source.seek(window.offset)
        lines = read_lines(islice(source, window.last - window.first + 1), options, first=window.first)
        return [read_row(line, shape) for line in lines if window.wanted is None or line.number in window.wanted]


def units(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Rows in units of at most `size`, but for a problem that has more of them, which is a unit of its own.

    Rows of one problem are in one unit and beside each other. Problems keep the order of their first rows.
    """
    problems = _together((_problem_of(row), row) for row in rows)
    unit: list[Row] = []
    for problem in problems:
        if unit and len(unit) + len(problem) > size:
            yield unit
            unit = []
        unit.extend(problem)
    if unit:
        yield unit


def _together(entries: Iterable[tuple[Hashable, Entry]]) -> list[list[Entry]]:
    found: dict[Hashable, list[Entry]] = {}
    for key, entry in entries:
        found.setdefault(key, []).append(entry)
    return list(found.values())


def _problem_of(row: Row) -> Hashable:
    """What all rows of one problem have in common; a row that asks nothing is alone."""
    problem = affinity_of(row.item) if isinstance(row.item, Mapping) else None
    return row.line.number if problem is None else problem

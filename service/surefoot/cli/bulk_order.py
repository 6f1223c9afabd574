"""Rows that many workers answer in any order, written in the order of their lines, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from surefoot.cli.bulk_worker import WrittenRow
from surefoot.cli.jsonl_run import Failure


class OrderedRows:
    """Takes rows as they come, and writes those whose turn it is.

    `numbers` are the lines that are awaited, rising. A row that comes again, because a worker was lost after it had
    answered, is dropped.
    """

    def __init__(
        self,
        numbers: Iterable[int],
        write: Callable[[bytes], object],
        count: Callable[[int, Failure | None], None],
    ) -> None:
        self._numbers: Iterator[int] = iter(numbers)
        self._write = write
        self._count = count
        self._held: dict[int, WrittenRow] = {}
        self.awaited: int | None = next(self._numbers, None)
        """The line whose row is to be written next; `None` when all are."""

    def add(self, rows: Iterable[WrittenRow]) -> None:
        """Take rows; what can be written is written at once, in one piece, and counted then."""
        for row in rows:
            if self.awaited is not None and row.number >= self.awaited:
                self._held.setdefault(row.number, row)
        ready: list[WrittenRow] = []
        while self.awaited is not None and self.awaited in self._held:
            ready.append(self._held.pop(self.awaited))
            self.awaited = next(self._numbers, None)
        if ready:
            self._write(b"".join(row.written for row in ready))
        for row in ready:
            self._count(row.number, row.failure)

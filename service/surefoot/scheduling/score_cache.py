"""What was computed before is not computed again, and what comes twice at once is computed once."""

from __future__ import annotations

import struct
from collections import OrderedDict
from hashlib import blake2b

from surefoot.domain import CacheUse, ForwardItem, Rows

Key = bytes


def key_of(item: ForwardItem) -> Key:
    """Equal for inputs that get equal rows: of one head, whose name is never given to other weights, with the same
    tokens, read at the same places."""
    rendered = item.rendered
    digest = blake2b(item.head.encode(), digest_size=16, key=b"score")
    for numbers in (rendered.token_ids, rendered.readout_positions, (rendered.solution_start,)):
        digest.update(struct.pack(f"<{len(numbers) + 1}q", len(numbers), *numbers))
    return digest.digest()


class ScoreCache:
    """Rows by the keys of their inputs; the least recently used of `max_entries` goes first. Belongs to one thread."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._rows: OrderedDict[Key, Rows] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def use(self) -> CacheUse:
        """How many inputs are remembered, and how many may be."""
        return CacheUse(len(self._rows), self._max_entries)

    def get(self, key: Key) -> Rows | None:
        """What was computed for such an input, if it is still known."""
        rows = self._rows.get(key)
        if rows is not None:
            self._rows.move_to_end(key)
        return rows

    def put(self, key: Key, rows: Rows) -> None:
        """Remember what was computed."""
        self._rows[key] = rows
        self._rows.move_to_end(key)
        while len(self._rows) > self._max_entries:
            self._rows.popitem(last=False)

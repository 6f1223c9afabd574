"""Connections on which no request comes to its beginning: uvicorn would keep them for ever, each with a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Connection = Any
"""uvicorn's protocol object, of either of its parsers; it has no type of its own."""


class UnfinishedHeads:
    """Since when each connection has waited for a whole request head. An idle one between two requests does not count:
    uvicorn's keep-alive ends it."""

    def __init__(self) -> None:
        self._since: dict[Connection, float] = {}

    def overdue(self, connections: Iterable[Connection], now: float, limit_s: float) -> list[Connection]:
        """Those that have waited since a look `limit_s` seconds ago or longer; to be called now and then with all that
        are open."""
        self._since = {each: self._since.get(each, now) for each in connections if _waits_for_head(each)}
        return [each for each, since in self._since.items() if now - since >= limit_s]


def _waits_for_head(connection: Connection) -> bool:
    cycle = connection.cycle
    return (cycle is None or cycle.response_complete) and connection.timeout_keep_alive_task is None

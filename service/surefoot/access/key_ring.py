"""The keys that a running service knows: those of its file, as the file is now."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from surefoot.access.key_file import FileState, read_keys, state_of
from surefoot.access.keys import KeyRecord, matching, utc_today
from surefoot.errors import KeysFileInvalid

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
"""A changed file is seen by the first request that comes this long after the last look."""


def _uncounted(code: str) -> None: ...


class KeyRing:
    """Finds a key among those of a file, which may change meanwhile: no restart for a new key or a revoked one.

    A file that cannot be read any more leaves the keys as they were, is logged once for each of its states, without
    any of its content, and counted by `count_error`. `clock` gives seconds, `today` the day in UTC. To be used by
    one thread. Raises `KeysFileInvalid` where the file cannot be read at the beginning.
    """

    def __init__(
        self,
        path: Path,
        *,
        count_error: Callable[[str], None] = _uncounted,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], date] = utc_today,
    ) -> None:
        self._path = path
        self._count_error = count_error
        self._clock = clock
        self._today = today
        self._looked_s = clock()
        self._records: tuple[KeyRecord, ...]
        self._state: FileState | None
        self._read()
        if all(record.has_expired(today()) for record in self._records):
            log.warning("the keys file %s holds no key that is good: every guarded request is refused", path)

    def find(self, key: bytes) -> KeyRecord | None:
        """The record of a key; `None` for one that is unknown, revoked or expired."""
        self._look()
        return matching(key, self._records, self._today())

    def _look(self) -> None:
        now_s = self._clock()
        if now_s - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = now_s
        state = self._state_now()
        if state == self._state:
            return
        # Remembered though it may be broken: the same state is not worth a second line in the log.
        self._state = state
        try:
            self._read()
        except KeysFileInvalid as error:
            self._count_error(error.code)
            log.error("%s; the keys from before stay good", error.message)  # noqa: TRY400  the message is all
        else:
            log.info("the keys file has changed: %d keys now", len(self._records))

    def _state_now(self) -> FileState | None:
        try:
            return state_of(self._path.stat())
        except OSError:
            return None

    def _read(self) -> None:
        found = read_keys(self._path)
        self._records, self._state = found.records, found.state
        if found.is_exposed:
            log.warning("others may read or change the keys file %s: chmod 600 it", self._path)

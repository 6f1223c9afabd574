"""Where a generator's engine stands, and starting it exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from surefoot.domain import SamplerState
from surefoot.errors import SamplerUnavailable, SurefootError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PolicySource:
    """A prepared policy: its checkpoint directory, and the name of what its samples depend on."""

    directory: Path
    fingerprint: str


class EngineLife:
    """idle → starting → ready or failed; a failed engine is started again by the next request."""

    def __init__(self, name: str, engine: str) -> None:
        self._name = name
        self._engine = engine
        self._state: Literal["idle", "starting", "ready", "failed"] = "idle"
        self._detail = "starts on first use"
        self._starting = asyncio.Lock()

    def snapshot(self) -> SamplerState:
        """The state as `/ready` shows it."""
        return SamplerState(self._name, self._engine, self._state, self._detail)

    async def start(self, load: Callable[[], Awaitable[None]]) -> None:
        """Run `load` unless it has succeeded before; callers that come meanwhile wait for the same start.

        Raises `SamplerUnavailable` with the reason.
        """
        async with self._starting:
            if self._state == "ready":
                return
            self._state, self._detail = "starting", "loading"
            try:
                await load()
            except asyncio.CancelledError:
                self._state, self._detail = "idle", "the start was cancelled"
                raise
            except Exception as cause:
                reason = cause.message if isinstance(cause, SurefootError) else f"{type(cause).__name__}: {cause}"[:300]
                log.exception("generator %s did not start", self._name)
                self.failed(f"{self._engine} did not start: {reason}")
                raise SamplerUnavailable(self._detail) from cause
            self._state, self._detail = "ready", ""

    def failed(self, reason: str) -> None:
        """Note that the engine is gone."""
        self._state, self._detail = "failed", reason

    def closed(self) -> None:
        """Note that it was stopped on purpose."""
        self._state, self._detail = "idle", "closed"

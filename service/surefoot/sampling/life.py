"""Where a generator's engine stands, and starting it exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from surefoot.domain import SamplerState
from surefoot.errors import SamplerUnavailable, SurefootError
from surefoot.log_lines import TELLS_MESSAGES

if TYPE_CHECKING:
    from surefoot.sampling.policy_adapter import PolicyAdapter

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PolicySource:
    """A prepared policy: its checkpoint directory, the name of what its samples depend on, and its adapter if any."""

    directory: Path
    fingerprint: str
    adapter: PolicyAdapter | None = None


class EngineLife:
    """idle → starting → ready or failed; a failed engine is started again by the next request.

    A start belongs to no caller: engines are built in threads that cannot be stopped, so when the first caller leaves
    the start goes on for the next one, and never two of them run at once.
    """

    def __init__(self, name: str, engine: str) -> None:
        self._name = name
        self._engine = engine
        self._state: Literal["idle", "starting", "ready", "failed"] = "idle"
        self._detail = "starts on first use"
        self._loading: asyncio.Task[None] | None = None
        self._is_closed = False

    def snapshot(self) -> SamplerState:
        """The state as `/ready` shows it."""
        return SamplerState(self._name, self._engine, self._state, self._detail)

    async def start(self, load: Callable[[], Awaitable[None]]) -> None:
        """Run `load` unless it has succeeded before; callers that come meanwhile wait for the same start.

        Raises `SamplerUnavailable` with the reason.
        """
        if self._is_closed:
            raise SamplerUnavailable("the generator was closed")
        if self._state == "ready":
            return
        if self._loading is None or self._loading.done():
            # What it leaves running serves all: the first request's id must not stay on it.
            self._loading = asyncio.create_task(self._load(load), context=Context())
            # When every caller has left, nobody else takes the failure, which the log and the state hold anyway.
            self._loading.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._loading)

    async def _load(self, load: Callable[[], Awaitable[None]]) -> None:
        self._state, self._detail = "starting", "loading"
        try:
            await load()
        except Exception as cause:
            reason = cause.message if isinstance(cause, SurefootError) else f"{type(cause).__name__}: {cause}"[:300]
            log.exception("generator %s did not start", self._name, extra=TELLS_MESSAGES)
            self.failed(f"{self._engine} did not start: {reason}")
            raise SamplerUnavailable(self._detail) from cause
        self._state, self._detail = "ready", ""

    def failed(self, reason: str) -> None:
        """Note that the engine is gone."""
        self._state, self._detail = "failed", reason

    async def close(self) -> None:
        """Allow no further start, and wait for one that is under way: what it builds has to be taken down."""
        self._is_closed = True
        if self._loading is not None:
            await asyncio.gather(self._loading, return_exceptions=True)
        self._state, self._detail = "idle", "closed"

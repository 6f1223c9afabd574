"""The engines that models are read on: loaded once each, and let go of with the last model that may be replaced."""

from __future__ import annotations

import asyncio
import weakref
from collections import defaultdict
from collections.abc import Callable, Mapping

from surefoot.metrics import EngineHealth
from surefoot.pipeline import ScoringLine
from surefoot.ports import Telemetry
from surefoot.profiles import Profile
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.engine import EngineKey
from surefoot.wiring.engines import QueuedEngine, build_engine, engine_key

LAST_PASS_S = 5.0
"""Seconds for a pass that still runs when the service closes: whoever waited for it has been answered by then."""


class EnginePool:
    """Engines by what they depend on: models whose settings agree in that share weights, queue and batches."""

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._engines: dict[EngineKey, QueuedEngine] = {}
        self._lines: defaultdict[EngineKey, weakref.WeakSet[ScoringLine]] = defaultdict(weakref.WeakSet)
        self._closings: set[asyncio.Task[None]] = set()

    def health(self) -> Mapping[str, EngineHealth]:
        """How each engine that is loaded does, by its name."""
        return {queued.engine.backend.name: queued.health() for queued in self._engines.values()}

    async def take(self, model: ModelSettings, profile: Profile, label: str | None = None) -> QueuedEngine:
        """The engine of that model, loaded where it is not yet; `label` is that of a candidate.

        Raises a `StartupError`.
        """
        key = engine_key(model, profile, self._settings)
        if key not in self._engines:
            # Its queue is measured by a name of its own beside that of the model that is served.
            named = model if label is None else model.model_copy(update={"name": f"{model.name}@{label}"})
            self._engines[key] = await asyncio.to_thread(build_engine, named, profile, self._settings, self._telemetry)
        return self._engines[key]

    def keep_for(self, line: ScoringLine, model: ModelSettings, profile: Profile) -> None:
        """Keep the engine for as long as that line, or one like it, is there."""
        key = engine_key(model, profile, self._settings)
        self._lines[key].add(line)
        if model.candidates:
            loop = asyncio.get_running_loop()
            weakref.finalize(line, _in_loop, loop, self._close_idle, key).atexit = False

    def let_go(self, model: ModelSettings, profile: Profile) -> None:
        """End the engine of that model if no line is left of it."""
        self._close_idle(engine_key(model, profile, self._settings))

    def _close_idle(self, key: EngineKey) -> None:
        if self._lines[key] or key not in self._engines:
            return
        queued = self._engines.pop(key)
        del self._lines[key]
        # One that is being closed with the service already is left so.
        if queued.scheduler.is_accepting:
            closing = asyncio.ensure_future(queued.close(LAST_PASS_S))
            self._closings.add(closing)
            closing.add_done_callback(self._closings.discard)


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[EngineKey], None], key: EngineKey) -> None:
    """Whatever thread let go of the last reference."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, key)

"""Settings to a running service."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress

from surefoot.access import KeyRing
from surefoot.answers import MathVerifyJudge
from surefoot.api.service import Service
from surefoot.errors import SamplerUnavailable, StartupError
from surefoot.ports import Sampler
from surefoot.ranking import Ranker
from surefoot.registry import Registry
from surefoot.settings import Settings
from surefoot.succession import Succession
from surefoot.wiring.generators import (
    build_generator,
    build_remote_generator,
    check_gpu,
    chosen_engine,
    shares_gpu,
    starts_with_service,
)
from surefoot.wiring.models import ModelLoader
from surefoot.wiring.reconfigure import request_limits
from surefoot.wiring.telemetry import build_telemetry


def build_service(settings: Settings) -> Service:
    """Everything behind the API, not started yet. Raises a `StartupError` for settings that cannot be served."""
    if not settings.needs_hub:
        # Nothing was asked of the hub: a library that looks there anyway must fail here, not phone out.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    telemetry = build_telemetry(settings.telemetry)
    keys_file = settings.auth.keys_file
    keys = None if keys_file is None else KeyRing(keys_file.expanduser(), count_error=telemetry.error)
    judge = MathVerifyJudge()
    engine = chosen_engine(settings)
    in_process = [] if engine == "none" else [build_generator(settings)]
    remote = [build_remote_generator(wanted) for wanted in settings.remote_generators]
    generators = [*in_process, *remote]
    samplers = {generator.name: generator.sampler for generator in generators}
    loader = ModelLoader(settings, telemetry, samplers)
    registry = loader.registry()
    succession = loader.succession(registry)
    telemetry.watch(
        lambda: {name: model.state for name, model in registry.states().items()},
        lambda: {generator.name: generator.sampler.state().state for generator in generators},
        loader.engines,
    )
    shared = shares_gpu(settings)
    life = _Life(
        settings,
        registry,
        succession,
        [generator.sampler for generator in in_process],
        [generator.sampler for generator in remote],
        judge,
        telemetry.close,
        shares_gpu=shared,
        eager=starts_with_service(settings, shares_gpu=shared),
    )
    return Service(
        registry=registry,
        succession=succession,
        generators={generator.name: generator for generator in generators},
        ranker=Ranker(judge, telemetry),
        telemetry=telemetry,
        limits=request_limits(settings),
        metrics_text=lambda: (telemetry.render(), telemetry.content_type),
        start=life.start,
        close=life.close,
        admin_routes=settings.admin_routes,
        keys=keys,
        metrics_need_key=settings.auth.metrics_need_key,
        dialects=settings.dialects.spoken(),
    )


class _Life:
    """Brings the parts up in the background, so that /health and /ready answer meanwhile, and takes them down."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        succession: Succession,
        samplers: list[Sampler],
        remote_samplers: list[Sampler],
        judge: MathVerifyJudge,
        close_telemetry: Callable[[], None],
        *,
        shares_gpu: bool,
        eager: bool,
    ) -> None:
        self._settings = settings
        self._shares_gpu = shares_gpu
        self._eager = eager
        self._registry = registry
        self._succession = succession
        self._samplers = samplers
        self._remote_samplers = remote_samplers
        self._judge = judge
        self._close_telemetry = close_telemetry
        self._bringing_up: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._bringing_up = asyncio.create_task(self._bring_up())

    async def _bring_up(self) -> None:
        # A server is only asked whether it is there, which takes nothing from anyone.
        await asyncio.gather(self._bring_up_own(), self._start_all(self._remote_samplers))

    async def _bring_up_own(self) -> None:
        if self._shares_gpu:
            try:
                await asyncio.to_thread(check_gpu, self._settings)
            except StartupError as error:
                self._registry.refuse_all(error)
                return
            await self._start_all(self._samplers)
            await self._load_models()
        elif self._eager:
            await asyncio.gather(self._load_models(), self._start_all(self._samplers))
        else:
            await self._load_models()

    async def _load_models(self) -> None:
        await self._registry.load_all()
        # Loading math-verify takes seconds that no comparison should wait for.
        await asyncio.to_thread(self._judge.start)

    async def _start_all(self, samplers: list[Sampler]) -> None:
        # A generator that does not start is reported by its state; scoring and the others go on without it.
        async def start(sampler: Sampler) -> None:
            with suppress(SamplerUnavailable):
                await sampler.start()

        await asyncio.gather(*map(start, samplers))

    async def close(self) -> None:
        if self._bringing_up is not None:
            self._bringing_up.cancel()
            await asyncio.gather(self._bringing_up, return_exceptions=True)
        # Together, because the process may not wait for long, and a stuck pass must not keep engines from being ended.
        samplers = [*self._samplers, *self._remote_samplers]
        await asyncio.gather(
            self._registry.close(), self._succession.close(), *(sampler.close() for sampler in samplers)
        )
        await asyncio.gather(*map(asyncio.to_thread, (self._judge.close, self._close_telemetry)))

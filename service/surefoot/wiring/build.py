"""Settings to a running service."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from surefoot.answers import MathVerifyJudge
from surefoot.api.service import Limits, Service
from surefoot.errors import SamplerUnavailable, StartupError
from surefoot.metrics import PrometheusTelemetry
from surefoot.ports import Sampler
from surefoot.ranking import Ranker
from surefoot.registry import Registry
from surefoot.settings import Settings
from surefoot.wiring.generators import (
    build_generator,
    check_gpu,
    chosen_engine,
    shares_gpu,
    starts_with_service,
)
from surefoot.wiring.models import ModelLoader


def build_service(settings: Settings) -> Service:
    """Everything behind the API, not started yet. Raises a `StartupError` for settings that cannot be served."""
    if not settings.needs_hub:
        # Nothing was asked of the hub: a library that looks there anyway must fail here, not phone out.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    telemetry = PrometheusTelemetry()
    registry = ModelLoader(settings, telemetry).registry()
    judge = MathVerifyJudge()
    engine = chosen_engine(settings)
    generators = [] if engine == "none" else [build_generator(settings)]
    shared = shares_gpu(settings)
    life = _Life(
        settings,
        registry,
        [generator.sampler for generator in generators],
        judge,
        shares_gpu=shared,
        eager=starts_with_service(settings, shares_gpu=shared),
    )
    return Service(
        registry=registry,
        generators={generator.name: generator for generator in generators},
        ranker=Ranker(judge),
        telemetry=telemetry,
        limits=Limits(**settings.limits.model_dump()),
        metrics_text=lambda: (telemetry.render(), telemetry.content_type),
        start=life.start,
        close=life.close,
    )


class _Life:
    """Brings the parts up in the background, so that /health and /ready answer meanwhile, and takes them down."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        samplers: list[Sampler],
        judge: MathVerifyJudge,
        *,
        shares_gpu: bool,
        eager: bool,
    ) -> None:
        self._settings = settings
        self._shares_gpu = shares_gpu
        self._eager = eager
        self._registry = registry
        self._samplers = samplers
        self._judge = judge
        self._bringing_up: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._bringing_up = asyncio.create_task(self._bring_up())

    async def _bring_up(self) -> None:
        if self._shares_gpu:
            try:
                await asyncio.to_thread(check_gpu, self._settings)
            except StartupError as error:
                self._registry.refuse_all(error)
                return
            await self._start_generators()
            await self._load_models()
        elif self._eager:
            await asyncio.gather(self._load_models(), self._start_generators())
        else:
            await self._load_models()

    async def _load_models(self) -> None:
        await self._registry.load_all()
        # Loading math-verify takes seconds that no comparison should wait for.
        await asyncio.to_thread(self._judge.start)

    async def _start_generators(self) -> None:
        # A generator that does not start is reported by its state; scoring goes on without it.
        with suppress(SamplerUnavailable):
            await asyncio.gather(*(sampler.start() for sampler in self._samplers))

    async def close(self) -> None:
        if self._bringing_up is not None:
            self._bringing_up.cancel()
            await asyncio.gather(self._bringing_up, return_exceptions=True)
        await self._registry.close()
        await asyncio.gather(*(sampler.close() for sampler in self._samplers))
        await asyncio.to_thread(self._judge.close)

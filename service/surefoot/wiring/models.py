"""Loading reward models: checkpoints shared where they are the same, one scheduler for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.domain import Kind
from surefoot.pipeline import ScoringLine
from surefoot.ports import Telemetry, Tokenizer
from surefoot.profiles import (
    ModelArchitecture,
    Profile,
    SequenceScalar,
    TokenClassification,
    TokenContrast,
    load_profile,
)
from surefoot.registry import Loader, Registry, ServedModel, card_of
from surefoot.rendering import build_renderer
from surefoot.rendering.verdicts import verdict_token_id
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.scheduler import Scheduler
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.sources import checkpoint_directory

if TYPE_CHECKING:
    from surefoot.backends.transformers_backend import TransformersBackend
    from surefoot.modeling.checkpoint import Checkpoint
    from surefoot.modeling.heads import LinearHead


@dataclass(frozen=True, slots=True)
class Engine:
    """One loaded checkpoint and the queue in front of it; several models may read it."""

    checkpoint: Checkpoint
    tokenizer: Tokenizer
    backend: TransformersBackend
    scheduler: Scheduler
    base_id: str


class ModelLoader:
    """Builds served models; those on the same checkpoint share its weights, its queue and its batches."""

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._engines: dict[tuple[str, ModelArchitecture, str], Engine] = {}

    def registry(self) -> Registry:
        """A registry of all configured models. Raises `ProfileInvalid` at once for a bad profile."""
        loaders: dict[str, Loader] = {}
        kinds: dict[str, Kind] = {}
        for model in self._settings.models:
            profile = load_profile(model.profile)
            kinds[model.name] = profile.kind
            loaders[model.name] = self._loader(model, profile)
        return Registry(loaders, kinds)

    def _loader(self, model: ModelSettings, profile: Profile) -> Callable[[], asyncio.Future[ServedModel]]:
        return lambda: asyncio.ensure_future(self._load(model, profile))

    async def _load(self, model: ModelSettings, profile: Profile) -> ServedModel:
        from surefoot.modeling.checkpoint import dtype_name
        from surefoot.modeling.identity import fingerprint

        engine = await self._engine(model, profile.readout.architecture)
        engine.backend.add_head(model.name, _head(profile, engine.checkpoint, engine.tokenizer))
        line = ScoringLine(
            model.name,
            profile,
            build_renderer(profile, engine.tokenizer),
            engine.scheduler,
            self._telemetry,
            max_input_tokens=engine.backend.max_input_tokens,
        )
        card = card_of(
            line,
            base_id=engine.base_id,
            fingerprint=fingerprint(engine.base_id, profile, engine.checkpoint, "transformers"),
            dtype=dtype_name(engine.checkpoint.dtype),
            backend="transformers",
            device=str(engine.checkpoint.device),
        )
        # Only now is there a model whose closing stops the loop again.
        await engine.scheduler.start()
        return ServedModel(card, line, lambda: engine.scheduler.close(self._settings.shutdown_grace_s))

    async def _engine(self, model: ModelSettings, architecture: ModelArchitecture) -> Engine:
        key = (model.path, architecture, model.dtype or self._settings.dtype)
        if key not in self._engines:
            self._engines[key] = await asyncio.to_thread(self._build_engine, model, architecture)
        return self._engines[key]

    def _build_engine(self, model: ModelSettings, architecture: ModelArchitecture) -> Engine:
        import torch

        from surefoot.backends.transformers_backend import TransformersBackend
        from surefoot.modeling.checkpoint import load_checkpoint
        from surefoot.modeling.identity import base_id
        from surefoot.modeling.packed_forward import PACKED_ATTENTION
        from surefoot.modeling.tokenizer import HfTokenizer

        settings = self._settings
        if settings.threads:
            torch.set_num_threads(settings.threads)
        directory: Path = checkpoint_directory(model.path, settings)
        checkpoint = load_checkpoint(
            directory,
            architecture,
            dtype=model.dtype or settings.dtype,
            device=settings.device,
            attention=PACKED_ATTENTION,
        )
        tokenizer = HfTokenizer.from_directory(directory)
        backend = TransformersBackend(model.name, checkpoint, max_input_tokens=settings.max_input_tokens)
        limits = SchedulerLimits(**settings.scheduler.model_dump())
        return Engine(checkpoint, tokenizer, backend, Scheduler(backend, limits, self._telemetry), base_id(directory))


def _head(profile: Profile, checkpoint: Checkpoint, tokenizer: Tokenizer) -> LinearHead:
    from surefoot.modeling.heads import classification_head, contrast_head

    match profile.readout:
        case TokenContrast(positive=positive, negative=negative):
            words = [verdict_token_id(tokenizer, word) for word in (positive, negative)]
            return contrast_head(checkpoint.model, words)
        case TokenClassification(classes=classes):
            return classification_head(checkpoint.model, len(classes))
        case SequenceScalar():
            return classification_head(checkpoint.model, 1)

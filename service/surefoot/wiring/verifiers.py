"""Generative verifiers: who writes their critiques, and what can be proven of them at start."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from surefoot.errors import CheckpointDamaged, SamplerUnavailable, SettingsInvalid
from surefoot.generative import CritiqueSource, GenerativeScorer
from surefoot.pipeline import ScoringLine
from surefoot.ports import Sampler, Telemetry
from surefoot.profiles import GenerativeVerdict
from surefoot.sampling.life import PolicySource
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.engines import QueuedEngine
from surefoot.wiring.sources import checkpoint_directory

if TYPE_CHECKING:
    from surefoot.modeling.identity import EngineIdentity


@dataclass(frozen=True, slots=True)
class Verifier:
    """The scorer, what its scores depend on, and how to let go of what was started for it."""

    scorer: GenerativeScorer
    identity: EngineIdentity
    close: Callable[[], Awaitable[None]]


def critique_limit(model: ModelSettings, settings: Settings, max_input_tokens: int) -> int:
    """Tokens of prompt and critique together: what can be read, or the generator's context where that is shorter."""
    if model.generator is None or model.generator != settings.generator.name:
        return max_input_tokens
    return min(max_input_tokens, settings.generator.max_context_tokens)


async def open_verifier(
    model: ModelSettings,
    line: ScoringLine,
    queued: QueuedEngine,
    settings: Settings,
    telemetry: Telemetry,
    samplers: Mapping[str, Sampler],
) -> Verifier:
    """The verifier that reads its verdicts on `queued`, and its own sampler started where no generator is named.

    Raises `SettingsInvalid` for a generator that cannot write for it, and `CheckpointDamaged` where the checkpoint
    cannot be sampled from.
    """
    readout, tokenizer = line.profile.readout, queued.engine.tokenizer
    if not isinstance(readout, GenerativeVerdict):
        raise TypeError(f"profile {line.profile.name!r} is not one of a generative verifier")
    name = model.generator
    sampler = _own_sampler(model, settings, line) if name is None else _named(name, model, settings, samplers)
    vocabulary_size = await asyncio.to_thread(_vocabulary_size, model, settings)
    critiques = CritiqueSource(readout, sampler, tokenizer, telemetry, vocabulary_size=vocabulary_size)
    scorer = GenerativeScorer(
        line,
        critiques,
        queued.scheduler,
        telemetry,
        limits=queued.scheduler.limits,
        max_concurrent=settings.generator.max_concurrent,
    )
    identity = queued.engine.identity
    if name is not None:
        # Another engine may round another way, and draw another critique.
        identity = replace(identity, backend=f"{identity.backend}+{sampler.state().engine}")
        return Verifier(scorer, identity, _leave)
    try:
        await sampler.start()
    except SamplerUnavailable as cause:
        await sampler.close()
        raise CheckpointDamaged(
            f"no critiques can be drawn from {model.path}: {cause.message}", param="path"
        ) from cause
    return Verifier(scorer, identity, sampler.close)


def _own_sampler(model: ModelSettings, settings: Settings, line: ScoringLine) -> Sampler:
    """Transformers on the model's own checkpoint, beside the copy that verdicts are read on."""
    from surefoot.sampling.transformers_sampler import TransformersSampler

    return TransformersSampler(
        model.name,
        lambda: PolicySource(checkpoint_directory(model.path, settings, allow=model.allow), model.name),
        dtype=model.dtype or settings.dtype,
        device=settings.device,
        max_context_tokens=line.max_input_tokens,
    )


def _named(name: str, model: ModelSettings, settings: Settings, samplers: Mapping[str, Sampler]) -> Sampler:
    """The service's generator of that name, if the tokens that it draws are those of the model."""
    if name not in samplers:
        known = ", ".join(samplers) or "none"
        raise _unfit(model, f"no such generator is configured here; there are: {known}")
    remote = next((remote for remote in settings.remote_generators if remote.name == name), None)
    if remote is not None and not (remote.api == "completions" and remote.extensions):
        raise _unfit(model, "its critiques are needed as tokens: set api = 'completions' and extensions = true for it")
    if remote is None and settings.generator.path != model.path:
        raise _unfit(model, f"it runs {settings.generator.path}, and critiques are this model's own: {model.path}")
    if remote is None and settings.generator.adapter is not None:
        raise _unfit(model, "it samples with an adapter, and critiques are this model's own: name one without")
    return samplers[name]


def _unfit(model: ModelSettings, reason: str) -> SettingsInvalid:
    return SettingsInvalid(f"models: {model.name}: generator {model.generator!r}: {reason}", param="generator")


def _vocabulary_size(model: ModelSettings, settings: Settings) -> int:
    from surefoot.inspection.checkpoint_files import read_config_json
    from surefoot.modeling.configuration import read_config

    directory = checkpoint_directory(model.path, settings, allow=model.allow)
    return int(read_config(directory, read_config_json(directory), model.allow).get_text_config().vocab_size)


async def _leave() -> None:
    """A generator that is named is the service's."""

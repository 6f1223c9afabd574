"""Engines by what a model's settings ask for, each with the queue in front of it; one builder per kind."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from surefoot.domain import CacheName, CacheUse
from surefoot.errors import SettingsInvalid
from surefoot.metrics import EngineHealth
from surefoot.ports import Telemetry
from surefoot.profiles import ModelArchitecture, Profile
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.scheduler import Scheduler
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.engine import Engine, EngineKey
from surefoot.wiring.heads import build_head
from surefoot.wiring.sources import checkpoint_directory
from surefoot.wiring.vllm_engines import build_vllm, build_vllm_server, vllm_engine_key

if TYPE_CHECKING:
    from surefoot.modeling.checkpoint import Checkpoint
    from surefoot.modeling.identity import EngineIdentity
    from surefoot.modeling.tokenizer import HfTokenizer

EngineKind = Literal["transformers", "log_ratio", "vllm", "vllm_server"]

CPU_BATCH_TOKENS, BATCH_TOKENS = 4_096, 16_384
"""Distinct tokens of a pass where nothing is set. On a CPU, which larger ones do not make faster, whoever comes next
would wait longer, and activations take memory."""

CPU_BULK_TOKENS = 512
"""Those of bulk work among them on a CPU: about what makes a matrix product as fast as it gets there."""


@dataclass(frozen=True, slots=True)
class QueuedEngine:
    """An engine and the queue in front of it."""

    engine: Engine
    scheduler: Scheduler

    def health(self) -> EngineHealth:
        """What Prometheus is told of it."""
        caches: Mapping[CacheName, CacheUse | None] = {
            "scores": self.scheduler.cache_use,
            "prefixes": self.engine.prefix_use(),
        }
        return EngineHealth(
            {**self.scheduler.faults, "restart": self.engine.num_restarts()},
            {name: use for name, use in caches.items() if use is not None},
        )

    async def close(self, grace_s: float) -> None:
        """Let accepted work finish for `grace_s` seconds, then let go of the engine; idempotent."""
        await self.scheduler.close(grace_s)
        await asyncio.to_thread(self.engine.backend.close)


def engine_kind(model: ModelSettings, profile: Profile) -> EngineKind:
    """Which builder makes the engine of this model."""
    if model.backend == "transformers" and profile.readout.method == "log_ratio":
        return "log_ratio"
    return model.backend


def engine_key(model: ModelSettings, profile: Profile, settings: Settings) -> EngineKey:
    """What two models must have in common to share an engine."""
    kind = engine_kind(model, profile)
    if kind in ("vllm", "vllm_server"):
        return vllm_engine_key(model, profile, settings)
    return (
        kind,
        model.path,
        model.reference_path or "",
        profile.readout.architecture,
        model.dtype or settings.dtype,
        *sorted(model.allow),
    )


def build_engine(model: ModelSettings, profile: Profile, settings: Settings, telemetry: Telemetry) -> QueuedEngine:
    """Load what the model needs; blocking, for minutes where it is large. Raises a `StartupError`."""
    engine = BUILDERS[engine_kind(model, profile)](model, profile, settings)
    limits = scheduler_limits(engine_kind(model, profile), settings)
    scheduler = Scheduler(engine.backend, limits, telemetry, max_cached_scores=settings.caches.scores)
    return QueuedEngine(engine, scheduler)


def scheduler_limits(kind: EngineKind, settings: Settings) -> SchedulerLimits:
    """What is set, and what is not by what the engine runs on. Raises a `SettingsInvalid`."""
    given = settings.scheduler.model_dump()
    if not given["max_batch_tokens"] or not given["max_bulk_batch_tokens"]:
        on_cpu = kind in ("transformers", "log_ratio") and _is_cpu(settings.device)
        given["max_batch_tokens"] = given["max_batch_tokens"] or max(
            CPU_BATCH_TOKENS if on_cpu else BATCH_TOKENS, settings.max_input_tokens
        )
        # Elsewhere a pass has a price of its own, which small ones would pay more often.
        given["max_bulk_batch_tokens"] = given["max_bulk_batch_tokens"] or (
            CPU_BULK_TOKENS if on_cpu else given["max_batch_tokens"]
        )
    # A server's answer has a time limit of its own, and a new process here would not mend what is wrong there.
    given["stuck_after_s"] = math.inf if kind == "vllm_server" else given["stuck_after_s"] or math.inf
    for unbounded in ("max_queue_s", "max_bulk_queue_s"):
        given[unbounded] = given[unbounded] or math.inf
    return SchedulerLimits(**given)


def _is_cpu(device: str) -> bool:
    from surefoot.modeling.checkpoint import choose_device

    return bool(choose_device(device).type == "cpu")


def _build_transformers(model: ModelSettings, profile: Profile, settings: Settings) -> Engine:
    from surefoot.backends.transformers_backend import TransformersBackend
    from surefoot.modeling.adapters import read_adapter
    from surefoot.modeling.identity import identity_of

    if model.reference_path is not None:
        raise SettingsInvalid(
            f"models: {model.name}: reference_path is read by log-ratio profiles, which {profile.name!r} is not: "
            "leave it out, or choose such a profile",
            param="reference_path",
        )
    checkpoint, tokenizer = load_for_scoring(model.path, model, profile.readout.architecture, settings)
    backend = TransformersBackend(
        model.name,
        checkpoint,
        max_input_tokens=settings.max_input_tokens,
        prefix_cache_bytes=settings.caches.prefix_mib * 2**20,
        deterministic=settings.deterministic,
    )
    identity = identity_of(checkpoint, cache=settings.cache)

    def add_adapter(name: str, directory: Path) -> EngineIdentity:
        adapter = read_adapter(directory)
        adapter.check_base(identity.base_id)
        backend.add_adapter(name, adapter)
        return replace(identity, adapter=adapter.id)

    return Engine(
        identity,
        tokenizer,
        backend,
        lambda name, profile: backend.add_head(name, build_head(profile, checkpoint, tokenizer)),
        backend.plain_rows,
        add_adapter,
        backend.remove_head,
        backend.keeps_prefixes,
        lambda: backend.prefix_use,
    )


def _build_log_ratio(model: ModelSettings, profile: Profile, settings: Settings) -> Engine:
    from surefoot.backends.log_ratio_backend import LogRatioBackend, check_same_vocabulary
    from surefoot.modeling.identity import identity_of

    if model.reference_path is None:
        raise SettingsInvalid(
            f"models: {model.name}: profile {profile.name!r} compares two models: set reference_path to the one that "
            "this one was trained from",
            param="reference_path",
        )
    checkpoint, tokenizer = load_for_scoring(model.path, model, profile.readout.architecture, settings)
    reference, reference_tokenizer = load_for_scoring(
        model.reference_path, model, profile.readout.architecture, settings
    )
    check_same_vocabulary(tokenizer, reference_tokenizer)
    backend = LogRatioBackend(
        model.name,
        checkpoint,
        reference,
        max_input_tokens=settings.max_input_tokens,
        deterministic=settings.deterministic,
    )
    return Engine(
        identity_of(checkpoint, reference, cache=settings.cache),
        tokenizer,
        backend,
        lambda _name, _profile: None,
        backend.plain_rows,
    )


def load_for_scoring(
    path: str, model: ModelSettings, architecture: ModelArchitecture, settings: Settings
) -> tuple[Checkpoint, HfTokenizer]:
    """Checkpoint and tokenizer at `path`, with the attention that scores are computed with. Raises a `StartupError`."""
    import torch

    from surefoot.modeling.checkpoint import load_checkpoint
    from surefoot.modeling.packed_attention import PACKED_ATTENTION
    from surefoot.modeling.tokenizer import HfTokenizer

    if settings.threads:
        torch.set_num_threads(settings.threads)
    directory = checkpoint_directory(path, settings, allow=model.allow)
    # What is quick to refuse comes first: large weights take minutes.
    tokenizer = HfTokenizer.from_directory(directory)
    checkpoint = load_checkpoint(
        directory,
        architecture,
        dtype=model.dtype or settings.dtype,
        device=settings.device,
        attention=PACKED_ATTENTION,
        allow=model.allow,
    )
    return checkpoint, tokenizer


BUILDERS: Mapping[EngineKind, Callable[[ModelSettings, Profile, Settings], Engine]] = {
    "transformers": _build_transformers,
    "log_ratio": _build_log_ratio,
    "vllm": build_vllm,
    "vllm_server": build_vllm_server,
}

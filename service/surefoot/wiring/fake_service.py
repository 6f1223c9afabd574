"""A whole service without weights: the real line, registry, ranker and limits over the shipped fakes.

Tests of the API run against it, and whoever writes a client can try it on every answer within seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from surefoot.access import KeyRing
from surefoot.answers import EquivalenceJudge
from surefoot.api.service import ALL_DIALECTS, Generator, Limits, Service
from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import Dialect, ForwardItem, Message, Rows
from surefoot.generative import CritiqueSource, GenerativeScorer
from surefoot.metrics import EngineHealth, PrometheusTelemetry
from surefoot.pipeline import ModelScorer, Observer, ScoringLine
from surefoot.ports import Sampler
from surefoot.profiles import GenerativeVerdict, Profile, load_profile
from surefoot.promotions import Promotions
from surefoot.ranking import Ranker
from surefoot.registry import Loader, Registry, ServedModel, card_of
from surefoot.rendering import build_renderer
from surefoot.rendering.fake_tokenizer import FIRST_WORD_ID, FakeTokenizer
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.scheduler import Scheduler
from surefoot.self_check import NOT_CHECKED, SelfCheck, check_scores, plain_scores
from surefoot.succession import Succession

FAKE_TEXTS = ("2 + 3 = 5.\nThe answer is 5.", "2 + 3 = 6.\nThe answer is 6.", "Together 5.\nThe answer is 5.0.")
GRACE_S = 5.0


class KeysOnly:
    """An `EquivalenceJudge` that finds nothing equivalent beyond equal canonical keys; it costs nothing."""

    def equivalent(self, first: str, second: str) -> bool:  # noqa: ARG002
        return False


def fake_profiles() -> dict[str, Profile]:
    """By model name: prm and orm (probabilities), reward (unbounded, mapped to (0, 1)) and raw (without that map)."""
    reward = load_profile("sequence-classification")
    raw = {"name": "raw-reward", "title": "An unbounded reward without a map to (0, 1)", "unit_map": None}
    return {
        "prm": load_profile("embedded-prm"),
        "orm": load_profile("embedded-orm"),
        "reward": reward,
        "raw": Profile.model_validate(reward.model_dump() | raw),
    }


@dataclass(frozen=True, slots=True)
class FakeParts:
    """What a fake service is made of; every part has a default. `broken` models fail to load with that error.

    `proves` runs the self-check at start, with `has_plain_pass` as an engine in this process does. Without it
    `backend.batches` and the metrics hold requests alone. `adapters` are what a model's adapter directory holds, an
    adapter's id or the error of reading it; it may be changed before a reload. `candidates` are by model and
    label, each the profile that it is read with or the error of loading it; what `promotions_file` says of them is
    served at start.
    """

    profiles: Mapping[str, Profile] = field(default_factory=fake_profiles)
    backend: FakeBackend = field(default_factory=FakeBackend)
    sampler: FakeSampler | None = field(default_factory=lambda: FakeSampler(FAKE_TEXTS))
    further_samplers: Mapping[str, Sampler] = field(default_factory=dict)
    preface: tuple[Message, ...] = ()
    judge: EquivalenceJudge = field(default_factory=KeysOnly)
    limits: Limits = field(default_factory=Limits)
    queue: SchedulerLimits = field(default_factory=SchedulerLimits)
    clock: Callable[[], float] = time.monotonic
    telemetry: PrometheusTelemetry = field(default_factory=PrometheusTelemetry)
    broken: Mapping[str, Exception] = field(default_factory=dict)
    adapters: Mapping[str, str | Exception] = field(default_factory=dict)
    candidates: Mapping[str, Mapping[str, Profile | Exception]] = field(default_factory=dict)
    promotions_file: Path | None = None
    admin_routes: bool = False
    keys: KeyRing | None = None
    metrics_need_key: bool = False
    dialects: frozenset[Dialect] = ALL_DIALECTS
    loads: bool = True
    proves: bool = False
    has_plain_pass: bool = True


@dataclass(frozen=True, slots=True)
class FakeService:
    """A service and the parts that a test wants to hold; it loads when the service starts."""

    service: Service
    scheduler: Scheduler
    telemetry: PrometheusTelemetry


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all models of a fake service have in common."""

    parts: FakeParts
    scheduler: Scheduler
    telemetry: PrometheusTelemetry
    observers: dict[str, Observer] = field(default_factory=dict)


def build_fake_service(parts: FakeParts) -> FakeService:
    """All models share one backend and one queue, as models on one checkpoint do."""
    telemetry = parts.telemetry
    scheduler = Scheduler(parts.backend, parts.queue, telemetry, clock=parts.clock)
    shared = _Shared(parts, scheduler, telemetry)
    registry, succession = _models(shared)

    async def start() -> None:
        if parts.loads:
            await registry.load_all()

    async def close() -> None:
        parts.backend.close()
        await asyncio.gather(registry.close(), succession.close())

    own = {} if parts.sampler is None else {"default": parts.sampler}
    samplers: dict[str, Sampler] = {**own, **parts.further_samplers}
    telemetry.watch(
        lambda: {name: model.state for name, model in registry.states().items()},
        lambda: {name: sampler.state().state for name, sampler in samplers.items()},
        lambda: {parts.backend.name: EngineHealth(scheduler.faults, {})},
    )
    service = Service(
        registry=registry,
        succession=succession,
        generators={name: Generator(name, "fake-policy", sampler, parts.preface) for name, sampler in samplers.items()},
        ranker=Ranker(parts.judge, telemetry),
        telemetry=telemetry,
        limits=parts.limits,
        metrics_text=lambda: (telemetry.render(), telemetry.content_type),
        start=start,
        close=close,
        admin_routes=parts.admin_routes,
        keys=parts.keys,
        metrics_need_key=parts.metrics_need_key,
        dialects=parts.dialects,
    )
    return FakeService(service, scheduler, telemetry)


def _models(shared: _Shared) -> tuple[Registry, Succession]:
    parts = shared.parts
    promotions = Promotions(parts.promotions_file)
    candidates = {
        name: {label: _loader(name, found, shared, label) for label, found in labels.items()}
        for name, labels in parts.candidates.items()
    }
    loaders = {
        name: _loader(name, profile, shared) if (label := promotions.label(name)) is None else candidates[name][label]
        for name, profile in parts.profiles.items()
    }
    registry = Registry(loaders, {name: profile.kind for name, profile in parts.profiles.items()})
    return registry, Succession(registry, candidates, shared.observers, shared.telemetry, promotions)


def _loader(
    name: str,
    found: Profile | Exception,
    shared: _Shared,
    label: str = "",
) -> Loader:
    """Loads that model, or its candidate of that label."""
    parts, scheduler, telemetry = shared.parts, shared.scheduler, shared.telemetry

    async def load() -> ServedModel:
        profile, adapter = _loaded(name, found, parts, label)
        head, fingerprint = (f"{part}@{adapter}" if adapter else part for part in (name, f"fake-{profile.name}"))
        if profile.readout.method == "sequence_scalar":
            parts.backend.num_columns[head] = 1
        await scheduler.start()
        tokenizer = FakeTokenizer.for_profile(profile)
        line = ScoringLine(
            name,
            profile,
            build_renderer(profile, tokenizer),
            scheduler,
            telemetry,
            max_input_tokens=parts.backend.max_input_tokens,
            max_steps=parts.limits.max_steps,
            fewest_tokens=tokenizer.fewest_tokens,
            head=head,
            observers=shared.observers,
        )
        scorer = _scorer(line, tokenizer, parts, scheduler, telemetry)
        card = card_of(scorer, base_id="fake", fingerprint=fingerprint, dtype="float32", backend="fake", device="cpu")

        async def prove() -> SelfCheck:
            if not parts.proves:
                return NOT_CHECKED
            return await check_scores(line, plain_scores(line, plain) if parts.has_plain_pass else None, "float32")

        again = load if adapter else None
        close, fault = lambda: scheduler.close(GRACE_S), lambda: scheduler.fault
        return ServedModel(card, scorer, prove, close, again, fault, scheduler)

    async def plain(item: ForwardItem) -> Rows:
        return parts.backend.plain_rows(item)

    return load


def _loaded(name: str, found: Profile | Exception, parts: FakeParts, label: str) -> tuple[Profile, str]:
    """The profile, and the id of an adapter or a candidate; raises what loading is to raise."""
    adapter = label or parts.adapters.get(name, "")
    if not label and name in parts.broken:
        raise parts.broken[name]
    if isinstance(found, Exception):
        raise found
    if isinstance(adapter, Exception):
        raise adapter
    return found, adapter


def _scorer(
    line: ScoringLine, tokenizer: FakeTokenizer, parts: FakeParts, scheduler: Scheduler, telemetry: PrometheusTelemetry
) -> ModelScorer:
    """The line, or over it a verifier whose critiques the first fake sampler writes."""
    readout = line.profile.readout
    if not isinstance(readout, GenerativeVerdict):
        return line
    sampler = parts.sampler or FakeSampler(FAKE_TEXTS)
    # Words are the last of its ids, and nobody has so many.
    critiques = CritiqueSource(readout, sampler, tokenizer, telemetry, vocabulary_size=2 * FIRST_WORD_ID)
    return GenerativeScorer(line, critiques, scheduler, telemetry, limits=parts.queue, max_concurrent=8)

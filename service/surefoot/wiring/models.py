"""Loading reward models: engines shared where they are the same, one scoring line for each model."""

from __future__ import annotations

import asyncio
import itertools
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from surefoot.domain import ForwardItem, Kind, Rows
from surefoot.embedded.shipped_adapters import adapter_directory
from surefoot.errors import ProfileInvalid, SettingsInvalid
from surefoot.metrics import EngineHealth
from surefoot.pipeline import ModelScorer, Observer, ScoringLine
from surefoot.ports import Sampler, Telemetry
from surefoot.profiles import GenerativeVerdict, Profile
from surefoot.promotions import Promotions
from surefoot.registry import Loader, ModelCard, Registry, ServedModel, card_of
from surefoot.rendering import build_renderer
from surefoot.self_check import PlainPass, PlainScores, SelfCheck, check_scores, plain_scores
from surefoot.settings import ModelSettings, Settings
from surefoot.succession import Succession
from surefoot.wiring.detection import profile_of
from surefoot.wiring.engine import Engine
from surefoot.wiring.engine_pool import LAST_PASS_S, EnginePool
from surefoot.wiring.engines import QueuedEngine, engine_key
from surefoot.wiring.memory import within_memory
from surefoot.wiring.verifiers import critique_limit, open_verifier

if TYPE_CHECKING:
    from surefoot.modeling.identity import EngineIdentity


class ModelLoader:
    """Builds served models; those on the same engine share its weights, its queue and its batches."""

    def __init__(
        self, settings: Settings, telemetry: Telemetry, samplers: Mapping[str, Sampler] = MappingProxyType({})
    ) -> None:
        """`samplers` are the service's generators, which generative verifiers may name. Raises `SettingsInvalid`."""
        self._settings = settings
        self._telemetry = telemetry
        self._samplers = samplers
        self._engines = EnginePool(settings, telemetry)
        self._observers: dict[str, Observer] = {}
        self._own_heads = itertools.count(1)
        file = settings.promotions_file
        self._promotions = Promotions(None if file is None else file.expanduser())

    def registry(self) -> Registry:
        """A registry of all configured models, or of their candidates that had been promoted before.

        Raises at once what `profile_of` raises, and `SettingsInvalid` for a promoted candidate that is set no more.
        """
        loaders: dict[str, Loader] = {}
        kinds: dict[str, Kind] = {}
        for model in self._settings.models:
            label = self._promotions.label(model.name)
            serves = model if label is None else _promoted(model, label)
            profile = profile_of(serves, self._settings)
            kinds[model.name] = profile.kind
            loaders[model.name] = self._loader(serves, profile, label)
        return Registry(loaders, kinds)

    def succession(self, registry: Registry) -> Succession:
        """What the settings allow to be loaded beside the models of that registry."""
        return Succession(
            registry,
            {
                model.name: {each.label: partial(self._load_candidate, model, each.label) for each in model.candidates}
                for model in self._settings.models
            },
            self._observers,
            self._telemetry,
            self._promotions,
        )

    def engines(self) -> Mapping[str, EngineHealth]:
        """How each engine that is loaded does, by its name."""
        return self._engines.health()

    async def _load_candidate(self, model: ModelSettings, label: str) -> ServedModel:
        """The candidate, not proven yet. Raises a `StartupError`."""
        candidate = model.candidate(label)
        served = await asyncio.to_thread(profile_of, model, self._settings)
        profile = await asyncio.to_thread(profile_of, candidate, self._settings)
        if profile.kind != served.kind or any(isinstance(of.readout, GenerativeVerdict) for of in (profile, served)):
            raise ProfileInvalid(
                f"models: {model.name}: candidate {label!r} with profile {profile.name!r} cannot take the place of "
                f"{served.name!r}: both must be read in one pass and be of one kind; serve it by a name of its own",
                param="profile",
            )
        try:
            return await self.load(candidate, profile, label)
        finally:
            # One that failed before anything was read by a name on it.
            self._engines.let_go(candidate, profile)

    def _loader(
        self, model: ModelSettings, profile: Profile, label: str | None
    ) -> Callable[[], asyncio.Future[ServedModel]]:
        return lambda: asyncio.ensure_future(self.load(model, profile, label))

    async def load(self, model: ModelSettings, profile: Profile, label: str | None = None) -> ServedModel:
        """One model with that profile, loaded and not yet proven; `label` is that of a candidate.

        Raises a `StartupError`.
        """
        is_verifier = isinstance(profile.readout, GenerativeVerdict)
        if model.generator is not None and not is_verifier:
            raise SettingsInvalid(
                f"models: {model.name}: generator is read by generative verifiers, which {profile.name!r} is not: "
                "leave it out, or choose such a profile",
                param="generator",
            )
        with within_memory(model.name):
            queued = await self._engines.take(model, profile, label)
            line = self._line(model, profile, queued)
            identity = await asyncio.to_thread(_added, line.head, model, profile, queued.engine)
        if is_verifier:
            served = await self._verifier(model, line, queued)
        else:
            served = self._reward_model(model, line, queued, identity)
        # Only now is there a model whose closing stops the loop again.
        await queued.scheduler.start()
        return served

    async def _load_again(self, model: ModelSettings, loaded: Profile) -> ServedModel:
        """The model with its adapter, and a profile of one's own, as their files are now. Raises a `StartupError`."""
        profile = loaded if model.detects_profile else await asyncio.to_thread(profile_of, model, self._settings)

        def lasting(of: Profile) -> tuple[object, ...]:
            return of.kind, of.readout.method, engine_key(model, of, self._settings)

        if lasting(profile) != lasting(loaded):
            raise ProfileInvalid(
                f"models: {model.name}: the profile has another kind or readout now than the one that is served: "
                "restart the service, or put the earlier profile back",
                param="profile",
            )
        return await self.load(model, profile)

    def _line(self, model: ModelSettings, profile: Profile, queued: QueuedEngine) -> ScoringLine:
        engine = queued.engine
        # A name for each that may be replaced: the one before is still asked for by the requests that began with it,
        # and known by it to the caches.
        is_replaced = model.adapter is not None or bool(model.candidates)
        head = f"{model.name}@{next(self._own_heads)}" if is_replaced else None
        line = ScoringLine(
            model.name,
            profile,
            build_renderer(profile, engine.tokenizer),
            queued.scheduler,
            self._telemetry,
            max_input_tokens=critique_limit(model, self._settings, engine.backend.max_input_tokens),
            max_steps=self._settings.limits.max_steps,
            fewest_tokens=engine.tokenizer.fewest_tokens,
            head=head,
            observers=self._observers,
        )
        if head is not None:
            # Whoever may still ask for the adapter holds its line, so that it is let go of with the last request.
            weakref.finalize(line, engine.remove_model, head).atexit = False
        self._engines.keep_for(line, model, profile)
        return line

    def _reward_model(
        self, model: ModelSettings, line: ScoringLine, queued: QueuedEngine, identity: EngineIdentity
    ) -> ServedModel:
        plain = _plain_scores(line, queued)
        return ServedModel(
            _card(line, identity, prefix_cache=queued.engine.keeps_prefixes),
            line,
            lambda: check_scores(line, plain, identity.dtype),
            lambda: queued.close(min(self._settings.shutdown_grace_s, LAST_PASS_S)),
            None if model.adapter is None else partial(self._load_again, model, line.profile),
            lambda: queued.scheduler.fault,
            queued.scheduler,
        )

    async def _verifier(self, model: ModelSettings, line: ScoringLine, queued: QueuedEngine) -> ServedModel:
        opened = await open_verifier(model, line, queued, self._settings, self._telemetry, self._samplers)
        # Critiques of the probes would take minutes: what is read, and how, is proven where a critique would begin.
        unpinned = self._line(model, line.profile.model_copy(update={"golden": ()}), queued)

        async def prove() -> SelfCheck:
            read = await check_scores(unpinned, _plain_scores(unpinned, queued), opened.identity.dtype)
            is_pinned = bool(line.profile.golden)
            return await check_scores(opened.scorer, None, opened.identity.dtype) if is_pinned else read

        async def close() -> None:
            await queued.close(min(self._settings.shutdown_grace_s, LAST_PASS_S))
            await opened.close()

        card = _card(opened.scorer, opened.identity)
        return ServedModel(card, opened.scorer, prove, close, fault=lambda: queued.scheduler.fault)


def _promoted(model: ModelSettings, label: str) -> ModelSettings:
    if label not in {candidate.label for candidate in model.candidates}:
        raise SettingsInvalid(
            f"models: {model.name}: promotions_file says that candidate {label!r} is served, which is not set: set it "
            "under [[models.candidates]], or take the model out of that file to serve what is set",
            param="promotions_file",
        )
    return model.candidate(label)


def _added(head: str, model: ModelSettings, profile: Profile, engine: Engine) -> EngineIdentity:
    """Have the engine read the model by that name. What its scores depend on, its adapter included; blocking."""
    if model.adapter is None:
        engine.add_model(head, profile)
        return engine.identity
    if engine.add_adapter is None or isinstance(profile.readout, GenerativeVerdict):
        raise SettingsInvalid(
            f"models: {model.name}: an adapter is applied to models that are read in one pass, which "
            f"{profile.readout.method} is not: merge it into a checkpoint, and give that as path",
            param="adapter",
        )
    identity = engine.add_adapter(head, adapter_directory(model.adapter, profile.kind))
    engine.add_model(head, profile)
    return identity


def _card(scorer: ModelScorer, identity: EngineIdentity, *, prefix_cache: bool = False) -> ModelCard:
    return card_of(
        scorer,
        base_id=identity.base_id,
        fingerprint=identity.fingerprint(scorer.profile),
        dtype=identity.dtype,
        backend=identity.backend,
        device=identity.device,
        is_adapted=identity.adapter is not None,
        prefix_cache=prefix_cache,
    )


def _plain_scores(line: ScoringLine, queued: QueuedEngine) -> PlainScores | None:
    rows_of = plain_pass(queued.engine)
    return rows_of and plain_scores(line, rows_of)


def plain_pass(engine: Engine) -> PlainPass | None:
    """The engine's plain forward pass, where it has one."""
    rows_of = engine.plain_rows
    if rows_of is None:
        return None

    async def run(item: ForwardItem) -> Rows:
        # Models on this engine may be serving already; their passes wait for this one.
        return await asyncio.to_thread(rows_of, item)

    return run

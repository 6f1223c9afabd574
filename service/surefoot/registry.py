"""Named reward models: loaded and proven at start, looked up by name or by kind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from surefoot.domain import DtypeName, Kind, Scale
from surefoot.errors import AdapterNotConfigured, ModelNotFound, NotReady, StartupError, SurefootError, WrongModelKind
from surefoot.log_lines import TELLS_MESSAGES, with_fields
from surefoot.pipeline import ModelScorer
from surefoot.self_check import NOT_CHECKED, SelfCheck
from surefoot.shadow import Queue

log = logging.getLogger(__name__)

LoadState = Literal["loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What `/v1/models` says of a served model."""

    name: str
    kind: Kind
    profile: str
    title: str
    scale: Scale
    tolerance: float
    threshold: float
    aggregation: str
    max_input_tokens: int
    trained: bool
    notice: str | None
    base_id: str
    fingerprint: str
    dtype: str
    backend: str
    device: str
    prefix_cache: bool
    self_check: SelfCheck = NOT_CHECKED


def card_of(
    line: ModelScorer,
    *,
    base_id: str,
    fingerprint: str,
    dtype: DtypeName,
    backend: str,
    device: str,
    is_adapted: bool = False,
    prefix_cache: bool = False,
) -> ModelCard:
    """The card of the model that `line` scores with; the tolerance is the one of its dtype."""
    profile = line.profile
    trained, notice = profile.standing(is_adapted=is_adapted)
    return ModelCard(
        name=line.name,
        kind=profile.kind,
        profile=profile.name,
        title=profile.title,
        scale=profile.scale,
        tolerance=getattr(profile.tolerance, dtype),
        threshold=profile.threshold,
        aggregation=profile.aggregation,
        max_input_tokens=line.max_input_tokens,
        trained=trained,
        notice=notice,
        base_id=base_id,
        fingerprint=fingerprint,
        dtype=dtype,
        backend=backend,
        device=device,
        prefix_cache=prefix_cache,
    )


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A loaded model: its card, the line that scores with it, and how to let go of it.

    `prove` checks what the line gives; it raises `SelfCheckFailed`. `load_again` gives the model as the files of its
    adapter are now, not proven yet, and raises a `StartupError`; `None` for a model without an adapter. `fault` says
    why nothing can be scored any more, `None` while it can. `queue` is where its inputs wait, for models that can be
    compared with others.
    """

    card: ModelCard
    line: ModelScorer
    prove: Callable[[], Awaitable[SelfCheck]]
    close: Callable[[], Awaitable[None]]
    load_again: Callable[[], Awaitable[ServedModel]] | None = None
    fault: Callable[[], str | None] = lambda: None
    queue: Queue | None = None


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload did: the fingerprint that is served from now on, and the one before."""

    name: str
    fingerprint: str
    previous_fingerprint: str

    @property
    def changed(self) -> bool:
        return self.fingerprint != self.previous_fingerprint


@dataclass(frozen=True, slots=True)
class ModelState:
    """Where a named model stands; `detail` says why it failed."""

    state: LoadState
    detail: str = ""


Loader = Callable[[], Awaitable[ServedModel]]


class Registry:
    """Loads the configured models one after another, so that two never compete for memory while loading.

    Whoever loads a model besides holds `one_load` meanwhile.
    """

    def __init__(self, loaders: Mapping[str, Loader], kinds: Mapping[str, Kind]) -> None:
        self._loaders = dict(loaders)
        self._kinds = dict(kinds)
        self._loaded: dict[str, ServedModel] = {}
        self._models: dict[str, ServedModel] = {}
        self._states: dict[str, ModelState] = {name: ModelState("loading") for name in loaders}
        self.one_load = asyncio.Lock()

    async def load_all(self) -> None:
        """Load and prove every model. One that fails at either is reported by its state; the others are served."""
        for name, loader in self._loaders.items():
            try:
                async with self.one_load:
                    loaded = await loader()
                    # One that fails its proof holds an engine all the same, which is let go of at the end.
                    self._loaded[name] = loaded
                    self._models[name] = await proven(loaded)
            except StartupError as error:
                # The message says it all.
                log.error("model %s: %s: %s", name, error.code, error.message, extra=with_fields(model=name))  # noqa: TRY400
                self._states[name] = ModelState("failed", f"{error.code}: {error.message}")
            except Exception as error:
                log.exception("model %s failed to load", name, extra=with_fields(model=name) | TELLS_MESSAGES)
                self._states[name] = ModelState("failed", f"internal_error: {type(error).__name__}")
            else:
                self._states[name] = ModelState("ready")

    async def reload(self, name: str) -> Reloaded:
        """Serve a model with its adapter as the files are now; one reload at a time.

        Requests that have their model keep it to their end. Whatever is raised, the model before is served on.
        Raises what `get` raises, `AdapterNotConfigured`, or a `StartupError` for files that cannot be served.
        """
        async with self.one_load:
            before = self.get(name)
            if before.load_again is None:
                raise AdapterNotConfigured(
                    f"model {name!r} has no adapter that could be read again: set models[].adapter and restart",
                    param="name",
                )
            loaded = await before.load_again()
            done = Reloaded(name, loaded.card.fingerprint, before.card.fingerprint)
            if done.changed:
                sound = await proven(loaded)
                if self._models.get(name) is not before:
                    raise NotReady(f"model {name!r} was closed or replaced meanwhile")
                self.switch(name, sound)
                log.info("model %s: %s is served now, before %s", name, done.fingerprint, done.previous_fingerprint)
            return done

    def switch(self, name: str, model: ServedModel) -> ServedModel:
        """Serve `model` by that name to every request that begins from now on; gives the one that was served.

        Raises `NotReady` where none is.
        """
        before = self._models.get(name)
        if before is None:
            raise NotReady(f"model {name!r} is not served, so that no other can take its place")
        self._loaded[name] = self._models[name] = model
        return before

    def serves(self, line: ModelScorer) -> bool:
        """Whether requests that begin now are scored with that line."""
        model = self._models.get(line.name)
        return model is not None and model.line is line

    async def reload_all(self) -> None:
        """Reload every model that is served with an adapter; one that cannot be is served as before, and logged."""
        for name in [name for name, model in self._models.items() if model.load_again is not None]:
            try:
                await self.reload(name)
            except SurefootError as error:
                # The message says it all.
                log.error("model %s is served as before: %s: %s", name, error.code, error.message)  # noqa: TRY400

    def refuse_all(self, error: StartupError) -> None:
        """Report every model as failed, for a reason that stands before any is loaded."""
        log.error("no model is loaded: %s: %s", error.code, error.message)
        self._states = {name: ModelState("failed", f"{error.code}: {error.message}") for name in self._states}

    def states(self) -> Mapping[str, ModelState]:
        """Every configured model and where it stands."""
        return {name: self._state(name) for name in self._states}

    def is_ready(self) -> bool:
        return all(state.state == "ready" for state in self.states().values())

    def fault(self) -> str | None:
        """Why a model that was loaded cannot go on, `None` while all can."""
        faults = ((name, model.fault()) for name, model in self._loaded.items())
        return next((f"model {name} is {fault}" for name, fault in faults if fault is not None), None)

    def cards(self) -> list[ModelCard]:
        """Cards of the models that are ready, in configured order."""
        return [self._models[name].card for name in self._loaders if self._state(name).state == "ready"]

    def get(self, name: str | None, kind: Kind | None = None, *, param: str = "model") -> ServedModel:
        """The model of that name, or with `None` the first configured one of that kind (of any, where none is given).

        Raises `ModelNotFound`, `WrongModelKind`, or `NotReady` while it loads or when loading failed.
        """
        if name is None:
            name = next((known for known, its_kind in self._kinds.items() if kind in (None, its_kind)), None)
            if name is None:
                raise ModelNotFound(f"no {kind} model is configured", param=param)
        if name not in self._states:
            raise self.not_found(param)
        if kind is not None and self._kinds[name] != kind:
            raise WrongModelKind(f"{name!r} is an {self._kinds[name]} model, {kind} is needed here", param=param)
        state = self._state(name)
        if state.state != "ready":
            raise NotReady(f"model {name!r} is {state.state}" + (f": {state.detail}" if state.detail else ""))
        return self._models[name]

    def not_found(self, param: str) -> ModelNotFound:
        """The error of a name that nobody has."""
        known = ", ".join(sorted(self._states)) or "none"
        return ModelNotFound(f"there is no such model; configured: {known}", param=param)

    def _state(self, name: str) -> ModelState:
        model = self._models.get(name)
        fault = None if model is None else model.fault()
        return self._states[name] if fault is None else ModelState("failed", fault)

    async def close(self) -> None:
        """Let go of every model; safe to call twice."""
        loaded, self._loaded, self._models = self._loaded, {}, {}
        self._states = {name: ModelState("loading", "closed") for name in self._states}
        await asyncio.gather(*(model.close() for model in loaded.values()))


async def proven(loaded: ServedModel) -> ServedModel:
    """The model with what its self-check gave. Raises `SelfCheckFailed`."""
    return replace(loaded, card=replace(loaded.card, self_check=await loaded.prove()))

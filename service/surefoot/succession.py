"""What may take a served model's place: a candidate loaded beside it, and the model before, kept for the way back."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from surefoot.domain import ScoreTask, SolutionScore
from surefoot.errors import CandidateNotConfigured, ModelStateConflict, NotReady
from surefoot.pipeline import ModelScorer, Observer
from surefoot.ports import Telemetry
from surefoot.promotions import Promotions
from surefoot.registry import Loader, ModelCard, ModelState, Registry, ServedModel, proven
from surefoot.shadow import Shadow
from surefoot.summary import scored_by

log = logging.getLogger(__name__)

Close = Callable[[], Awaitable[None]]
Beside = Literal["candidate", "previous"]

_SAID: Mapping[Beside, str] = {"candidate": "candidate", "previous": "previous model"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A model and the label of the candidate that it was loaded as, `None` for what the settings serve at start."""

    label: str | None
    model: ServedModel


@dataclass(frozen=True, slots=True)
class Place:
    """What stands by one name beside the model that is served; `loading` is the label of what is loaded just now, and
    `shadow` compares the candidate with what is served, or has done so."""

    served_label: str | None = None
    candidate: Labelled | None = None
    previous: Labelled | None = None
    loading: str | None = None
    shadow: Shadow | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """All there is to say of one name: the state and card of what is served, what stands beside it, and the label of
    the candidate that a restart would serve, `None` for the model of the settings."""

    name: str
    state: ModelState
    card: ModelCard | None
    place: Place
    labels: tuple[str, ...]
    label_after_restart: str | None


class Succession:
    """Loads candidates beside served models, puts them in their place, and takes that back.

    Only `load` waits; everything else happens between two steps of the event loop, so that a request gets one model or
    the other. A model that was let go of lives as long as a request holds its line.
    """

    def __init__(
        self,
        registry: Registry,
        candidates: Mapping[str, Mapping[str, Loader]],
        observers: MutableMapping[str, Observer],
        telemetry: Telemetry,
        promotions: Promotions,
    ) -> None:
        """`candidates` are the loaders by model name and label; a loader gives a model that is not proven yet. Of
        `observers` the served models tell the one of their name what they have scored. The registry serves what
        `promotions` hold, which are kept up."""
        self._registry = registry
        self._loaders = {name: dict(loaders) for name, loaders in candidates.items()}
        self._observers = observers
        self._telemetry = telemetry
        self._promotions = promotions
        self._places = {name: Place(promotions.label(name)) for name in registry.states()}
        # Values hold no line, else none of these would ever end.
        self._retired: weakref.WeakKeyDictionary[ModelScorer, Close] = weakref.WeakKeyDictionary()
        self._closed = False

    def standings(self) -> list[Standing]:
        """Every configured model, in configured order."""
        return [self.standing(name) for name in self._registry.states()]

    def standing(self, name: str) -> Standing:
        """Raises `ModelNotFound`."""
        state = self._registry.states().get(name)
        if state is None:
            raise self._registry.not_found("name")
        card = self._registry.get(name).card if state.state == "ready" else None
        labels = tuple(self._loaders.get(name, ()))
        return Standing(name, state, card, self._places[name], labels, self._promotions.label(name))

    async def load(self, name: str, label: str) -> Standing:
        """Load and prove the candidate of that label; whatever is raised, everything stands as before.

        Raises what `Registry.get` raises, `CandidateNotConfigured`, `ModelStateConflict` where the place is taken, or
        a `StartupError` for what cannot be served.
        """
        self._served(name)
        loader = self._loader(name, label)
        place = self._places[name]
        if place.loading is not None:
            raise ModelStateConflict(
                f"model {name!r}: another candidate is being loaded: wait until it is", param="name"
            )
        if place.candidate is not None:
            raise ModelStateConflict(
                f"model {name!r} has a candidate already: promote it, or let go of it with POST .../unload",
                param="name",
            )
        self._places[name] = replace(place, loading=label)
        try:
            async with self._registry.one_load:
                loaded = await proven(await loader())
            if self._closed:
                raise NotReady("the service is shutting down")
            self._places[name] = replace(self._places[name], candidate=Labelled(label, loaded))
        finally:
            self._places[name] = replace(self._places[name], loading=None)
        log.info("model %s: candidate %s with %s is loaded", name, label, loaded.card.fingerprint)
        return self.standing(name)

    def shadow(self, name: str, share: float) -> Standing:
        """Have the candidate score that share of what is served from now on, 0 for no more, and compare the two.

        Raises `ModelStateConflict` where there is no candidate, or none that can be compared.
        """
        place = self._known(name)
        if place.candidate is None:
            raise _nothing(name, _SAID["candidate"], "load one with POST .../candidate")
        shadow = place.shadow
        if share == 0:
            self._end_shadow(name, place)
        elif shadow is not None and name in self._observers:
            shadow.set_share(share)
        else:
            to, by = place.candidate.model, self._registry.get(name)
            if to.queue is None or by.queue is None:
                raise ModelStateConflict(f"model {name!r}: this candidate cannot be compared", param="name")
            shadow = Shadow(to.line, (to.queue, by.queue), self._telemetry, share)
            self._observers[name] = partial(self._offer, shadow)
            self._places[name] = replace(place, shadow=shadow)
        return self.standing(name)

    def promote(self, name: str) -> Standing:
        """Serve the candidate from the next request on, and keep the model before; one kept earlier is let go of.

        Raises `ModelStateConflict` where there is no candidate, `NotReady` where it cannot score.
        """
        place = self._known(name)
        if place.candidate is None:
            raise _nothing(name, _SAID["candidate"], "load one with POST .../candidate")
        before = self._switch(name, place.candidate, place)
        self._end_shadow(name, place)
        if place.previous is not None:
            self._let_go(place.previous)
        promoted = place.candidate.label
        self._places[name] = replace(place, served_label=promoted, candidate=None, previous=before, shadow=None)
        self._promotions.keep(name, promoted)
        return self.standing(name)

    def roll_back(self, name: str) -> Standing:
        """Serve the model that was served before the promotion. What was promoted is the candidate again, or is let go
        of where another one is loaded, or is being loaded.

        Raises `ModelStateConflict` where none is kept, `NotReady` where it cannot score.
        """
        place = self._known(name)
        if place.previous is None:
            raise _nothing(name, _SAID["previous"], "only a promotion that was not rolled back yet keeps one")
        undone = self._switch(name, place.previous, place)
        # What was compared with the model that is taken back says nothing of the other.
        self._end_shadow(name, place)
        is_free = place.candidate is None and place.loading is None
        if not is_free:
            self._let_go(undone)
        self._places[name] = replace(
            place,
            served_label=place.previous.label,
            candidate=undone if is_free else place.candidate,
            previous=None,
            shadow=None,
        )
        self._promotions.keep(name, place.previous.label)
        return self.standing(name)

    def unload(self, name: str, which: Beside) -> Standing:
        """Let go of the candidate, or of the model before: then there is no way back.

        Raises `ModelStateConflict` where there is none.
        """
        place = self._known(name)
        if which == "candidate":
            kept, left = place.candidate, replace(place, candidate=None, shadow=None)
        else:
            kept, left = place.previous, replace(place, previous=None)
        if kept is None:
            raise _nothing(name, _SAID[which], "there is nothing to unload")
        if which == "candidate":
            self._end_shadow(name, place)
        self._let_go(kept)
        self._places[name] = left
        return self.standing(name)

    async def close(self) -> None:
        """Let go of all that is not served, and close what requests still hold; safe to call twice."""
        self._closed = True
        for name, place in self._places.items():
            self._end_shadow(name, place)
        beside = [kept for place in self._places.values() for kept in (place.candidate, place.previous)]
        closing = [kept.model.close for kept in beside if kept is not None] + list(self._retired.values())
        self._places = {name: Place(place.served_label) for name, place in self._places.items()}
        await asyncio.gather(*(close() for close in closing))

    def _switch(self, name: str, to: Labelled, place: Place) -> Labelled:
        """Serve `to`; gives what was served."""
        fault = to.model.fault()
        if fault is not None:
            raise NotReady(f"model {name!r}: what should be served is {fault}")
        before = Labelled(place.served_label, self._registry.switch(name, to.model))
        fingerprints = to.model.card.fingerprint, before.model.card.fingerprint
        log.info("model %s: %s is served now, before %s", name, *fingerprints)
        return before

    def _offer(
        self,
        shadow: Shadow,
        line: ModelScorer,
        tasks: Sequence[ScoreTask],
        results: Sequence[SolutionScore | Exception],
    ) -> None:
        # Requests that began with another model may still end: theirs is not what the candidate would replace.
        if self._registry.serves(line):
            shadow.offer(scored_by(line.name, line.profile), tasks, results)

    def _end_shadow(self, name: str, place: Place) -> None:
        self._observers.pop(name, None)
        if place.shadow is not None:
            place.shadow.set_share(0.0)
            place.shadow.end()

    def _let_go(self, kept: Labelled) -> None:
        self._retired[kept.model.line] = kept.model.close

    def _served(self, name: str) -> ServedModel:
        if name not in self._registry.states():
            raise self._registry.not_found("name")
        return self._registry.get(name)

    def _loader(self, name: str, label: str) -> Loader:
        loaders = self._loaders.get(name, {})
        if label not in loaders:
            known = ", ".join(loaders) or "none"
            raise CandidateNotConfigured(
                f"model {name!r} has no candidate of that label; configured: {known}. Add it as [[models.candidates]] "
                "to the settings and restart",
                param="label",
            )
        return loaders[label]

    def _known(self, name: str) -> Place:
        if name not in self._registry.states():
            raise self._registry.not_found("name")
        return self._places[name]


def _nothing(name: str, what: str, fix: str) -> ModelStateConflict:
    return ModelStateConflict(f"model {name!r} has no {what}: {fix}", param="name")

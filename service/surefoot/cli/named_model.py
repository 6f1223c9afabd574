"""The reward model that a verb evaluates: configured, served, a checkpoint, or an adapter's directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.service import FOR_FILES, Build, connect, in_process
from surefoot.domain import Kind
from surefoot.errors import ModelNotFound, WrongModelKind
from surefoot.profiles import Profile, load_profile
from surefoot.settings import ModelSettings, Settings, load_settings
from surefoot.wiring.detection import profile_of
from surefoot_client import AsyncSurefootClient, ModelInfo

_ADAPTER, _PROFILE = "adapter_config.json", "profile.toml"
_USUAL_NAMES: Mapping[Kind, str] = {"process": "prm", "outcome": "orm"}
_WRONG: Mapping[Kind, str] = {
    "process": "the model reads whole solutions: labelled steps need a process model",
    "outcome": "the model reads single steps: name an outcome model, which reads whole solutions",
}

ProfileOption = Annotated[
    str | None, typer.Option(help="A built-in profile or a .toml file; default: the model's own, or as detected.")
]
ModelOption = Annotated[
    str | None, typer.Option(metavar="PATH", help="A checkpoint, or `embedded`, instead of a configured model.")
]
NameOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        "--model-name",
        help="A configured or served model, or the directory of a trained adapter; default: the first process model.",
    ),
]


@dataclass(frozen=True, slots=True)
class Target:
    """The model that is evaluated: the one of that name on the server at `url`, or the only one of `settings`."""

    name: str | None
    profile: Profile | None
    url: str | None = None
    settings: Settings | None = None

    def client(self, build: Build) -> AbstractAsyncContextManager[AsyncSurefootClient]:
        """A client of the server that has it."""
        if self.settings is None:
            return connect(self.url, None, build, patience=FOR_FILES)
        return in_process(self.settings, build, FOR_FILES)


def named_target(
    url: str | None, config: Path | None, name: str | None, model: str | None, profile: str | None
) -> Target:
    """The model that the options name. Raises `typer.BadParameter` and what `target_of` and `load_profile` raise."""
    if url is None:
        return target_of(load_settings(config), name, model, profile)
    if model is not None or config is not None:
        raise typer.BadParameter(
            "the server has its models already; --model and --config go without it", param_hint="--url"
        )
    return Target(name, None if profile is None else load_profile(profile), url)


def target_of(settings: Settings, name: str | None, model: str | None, profile: str | None) -> Target:
    """The model of `configured`. The other models and the generator are left out: what is not evaluated need not be
    loaded. Raises what `configured` raises."""
    only, read_with = configured(settings, name, model, profile, "process", base=model)
    return Target(only.name, read_with, settings=with_models(settings, [only]))


def with_models(settings: Settings, models: list[ModelSettings]) -> Settings:
    """The settings with these models alone, and without generators."""
    generator = settings.generator.model_copy(update={"engine": "none"})
    return settings.model_copy(update={"models": models, "generator": generator, "remote_generators": []})


def configured(
    settings: Settings,
    name: str | None,
    model: str | None,
    profile: str | None,
    kind: Kind,
    *,
    base: str | None = None,
) -> tuple[ModelSettings, Profile]:
    """The configured model of that name, by default the first of that kind, or the checkpoint `model`, or else the
    adapter in the directory `name` with the profile beside it, on `base`, by default the embedded one.

    Raises `ModelNotFound`, `WrongModelKind` and what `profile_of` raises.
    """
    usual = _USUAL_NAMES[kind]
    if name is not None and _is_adapter(name) and name not in {each.name for each in settings.models}:
        own = str(Path(name) / _PROFILE)
        known = [ModelSettings(name=usual, path=base or "embedded", profile=own, adapter=name)]
    elif model is not None:
        known = [ModelSettings(name=name or usual, path=model)]
    else:
        known = [each for each in settings.models if name in (None, each.name)]
    for each in known:
        only = each if profile is None else each.model_copy(update={"profile": profile})
        read_with = profile_of(only, settings)
        if read_with.kind == kind:
            return only, read_with
    if known and (name or model or profile):
        raise WrongModelKind(_WRONG[kind], param="name")
    names = ", ".join(each.name for each in settings.models) or "none"
    wanted = f"{kind} model" if name is None else "model of that name"
    raise ModelNotFound(f"no {wanted} is configured; there are: {names}", param="name")


def _is_adapter(name: str) -> bool:
    return all((Path(name) / file).is_file() for file in (_ADAPTER, _PROFILE))


def served_card(served: Sequence[ModelInfo], name: str | None, kind: Kind) -> ModelInfo:
    """The served model of that name, by default the first of that kind. Raises `ModelNotFound`, `WrongModelKind`."""
    card = next((card for card in served if (card.kind == kind if name is None else card.id == name)), None)
    if card is None:
        names = ", ".join(card.id for card in served) or "none"
        raise ModelNotFound(f"no such {kind} model is served; there are: {names}", param="name")
    if card.kind != kind:
        raise WrongModelKind(
            f"{card.id} is an {card.kind} model; name one that is served as {kind} model", param="name"
        )
    return card

"""Labelled steps of a JSONL file, scored: the raw values that an evaluation works on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from surefoot.cli.jsonl_command import num_lines, opened_source
from surefoot.cli.jsonl_progress import show_summary, shown_progress
from surefoot.cli.jsonl_run import Failure, Outcome, RowShape, Tally, answered, read_lines, read_row
from surefoot.cli.score import score_rows
from surefoot.cli.service import FOR_FILES, Build, connect, in_process
from surefoot.domain import Kind, Rows
from surefoot.errors import ModelNotFound, WrongModelKind
from surefoot.evaluation.labelled_steps import FIELDS, NULLABLE, LabelledSteps, is_right, labelled_steps
from surefoot.profiles import Profile, builtin_names, load_profile
from surefoot.readout import read
from surefoot.settings import ModelSettings, Settings, load_settings
from surefoot.wiring.detection import profile_of
from surefoot_client import AsyncSurefootClient, ModelInfo

if TYPE_CHECKING:
    from surefoot.evaluation.calibration import JudgedSolution

_SAME_SCORE = 1e-6

ProfileOption = Annotated[
    str | None, typer.Option(help="A built-in profile or a .toml file; default: the model's own, or as detected.")
]
ModelOption = Annotated[
    str | None, typer.Option(metavar="PATH", help="A checkpoint, or `embedded`, instead of a configured model.")
]
NameOption = Annotated[
    str | None,
    typer.Option("--name", "--model-name", help="A configured or served model; default: the first process model."),
]
BatchSizeOption = Annotated[int, typer.Option(min=1, help="Rows a request.")]
ConcurrencyOption = Annotated[int, typer.Option(min=1, help="Requests at a time.")]


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


@dataclass(frozen=True, slots=True)
class ScoredSteps:
    """A labelled solution and the raw values of each of its steps."""

    labelled: LabelledSteps
    raw: Rows


@dataclass(frozen=True, slots=True)
class ScoredFile:
    """The solutions of a file that could be scored, in order, and the model and profile that they were scored with."""

    model: str
    profile: Profile
    solutions: list[ScoredSteps]
    tally: Tally

    @property
    def zeros_are_neutral(self) -> bool:
        """Whether the file holds a -1, beside which 0 is no error."""
        return any(each.labelled.has_neutral for each in self.solutions)

    @property
    def facts(self) -> dict[str, Any]:
        """What a report says of it."""
        return {
            "rows": self.tally.rows,
            "failed_rows": self.tally.failed.total(),
            "labels_of_0": "neutral" if self.zeros_are_neutral else "wrong",
            "model": self.model,
            "profile": self.profile.name,
        }


@dataclass(frozen=True, slots=True)
class LabelledRun:
    """A file to be scored; rows that cannot be are counted and named, and stop nothing."""

    source: Path
    target: Target
    batch_size: int
    concurrency: int

    def execute(self, console: Console, build: Build) -> ScoredFile:
        """Score all rows; says on `console` how it goes, and what failed."""
        scored, seconds = asyncio.run(self._work(console, build))
        show_summary(console, scored.tally.summary(seconds))
        return scored

    async def _work(self, console: Console, build: Build) -> tuple[ScoredFile, float]:
        """With the seconds of the work itself, without loading models."""
        async with self.target.client(build) as client:
            # Never tried again: whether anything answers at all is to be said at once.
            await client.health()
            model, profile = await _served(client, self.target)
            scored = ScoredFile(model, profile, [], Tally())
            began = time.monotonic()
            await self._score(client, console, scored)
            return scored, time.monotonic() - began

    async def _score(self, client: AsyncSurefootClient, console: Console, scored: ScoredFile) -> None:
        async def work(items: Sequence[Mapping[str, object]]) -> list[Outcome]:
            rows = [labelled_steps(item) for item in items]
            sent = [{"problem": row.problem, "steps": list(row.steps)} for row in rows]
            return await score_rows(client, sent, {"model": scored.model, "priority": "bulk"})

        with opened_source(self.source) as source, shown_progress(console, 0, num_lines(self.source)) as advance:
            rows = (read_row(line, LABELLED_ROW) for line in read_lines(source, ""))
            answers = answered(rows, work, batch_size=self.batch_size, concurrency=self.concurrency)
            async with aclosing(answers) as batches:
                async for row, outcome in (pair async for pairs in batches for pair in pairs):
                    scored.tally.add(row.line.number, outcome if isinstance(outcome, Failure) else None)
                    if not isinstance(outcome, Failure) and not isinstance(row.item, Failure):
                        scored.solutions.append(ScoredSteps(labelled_steps(row.item), _raw(outcome, scored.profile)))
                    advance()


def check_source(source: Path) -> None:
    """Raises `typer.BadParameter` where there is no such file."""
    if str(source) != "-" and not source.is_file():
        raise typer.BadParameter("there is no such file", param_hint="IN.jsonl")


def judged_solutions(scored: ScoredFile) -> list[JudgedSolution]:
    """The labels as right and wrong. A neutral step counts as the profile's `neutral_is_positive` says, which is true
    where its readout knows no third class."""
    # Imported here, because the other verbs need not wait for numpy.
    from surefoot.evaluation.calibration import JudgedSolution

    zero = scored.zeros_are_neutral and getattr(scored.profile.readout, "neutral_is_positive", True)
    return [
        JudgedSolution(each.raw, tuple(is_right(label, zero=zero) for label in each.labelled.labels))
        for each in scored.solutions
    ]


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
    """The configured model of that name, by default the first process model, or else the checkpoint `model`.

    The other models and the generator are left out: what is not evaluated need not be loaded. Raises `ModelNotFound`,
    `WrongModelKind` and what `profile_of` raises.
    """
    if model is not None:
        known = [ModelSettings(name=name or "prm", path=model)]
    else:
        known = [each for each in settings.models if name in (None, each.name)]
    for each in known:
        only = each if profile is None else each.model_copy(update={"profile": profile})
        read_with = profile_of(only, settings)
        if read_with.kind == "process":
            generator = settings.generator.model_copy(update={"engine": "none"})
            alone = {"models": [only], "generator": generator, "remote_generators": []}
            return Target(only.name, read_with, settings=settings.model_copy(update=alone))
    if known and (name or model or profile):
        raise WrongModelKind("the model reads whole solutions: labelled steps need a process model", param="name")
    names = ", ".join(each.name for each in settings.models) or "none"
    wanted = "process model" if name is None else "model of that name"
    raise ModelNotFound(f"no {wanted} is configured; there are: {names}", param="name")


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


async def _served(client: AsyncSurefootClient, target: Target) -> tuple[str, Profile]:
    """Name and profile of the target as it is served."""
    card = served_card((await client.models()).models, target.name, "process")
    if target.profile is not None:
        return card.id, target.profile
    if card.profile not in builtin_names():
        raise typer.BadParameter("give the profile's file that the server uses for this model", param_hint="--profile")
    return card.id, load_profile(card.profile)


def _raw(outcome: Mapping[str, Any], profile: Profile) -> Rows:
    """Raw values as they came. Raises `typer.BadParameter` where the profile reads other scores from them."""
    rows = tuple(tuple(step["raw"]) for step in outcome["steps"])
    try:
        readings = read(profile, rows, len(rows))
    except (ValueError, IndexError):
        readings = ()
    scores = [step["score"] for step in outcome["steps"]]
    if len(readings) != len(scores) or any(
        abs(reading.score - score) > _SAME_SCORE for reading, score in zip(readings, scores, strict=True)
    ):
        raise typer.BadParameter(
            "it reads other scores from the model's values than the server does; give the one that is served",
            param_hint="--profile",
        )
    return rows


def _refusal(item: Mapping[str, object]) -> str | None:
    try:
        labelled_steps(item)
    except ValueError as cause:
        return str(cause)
    return None


LABELLED_ROW = RowShape(FIELDS, _refusal, NULLABLE)

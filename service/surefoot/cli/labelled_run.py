"""Labelled steps of a JSONL file, scored: the raw values that an evaluation works on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from surefoot.cli.jsonl_command import num_lines, opened_source
from surefoot.cli.jsonl_progress import show_summary, shown_progress
from surefoot.cli.jsonl_run import Failure, Outcome, RowShape, Tally, answered, read_lines, read_row
from surefoot.cli.score import score_rows
from surefoot.cli.service import FOR_FILES, Build, connect, in_process
from surefoot.domain import Rows
from surefoot.errors import ModelNotFound, WrongModelKind
from surefoot.evaluation.labelled_steps import FIELDS, NULLABLE, LabelledSteps, labelled_steps
from surefoot.profiles import Profile, builtin_names, load_profile
from surefoot.readout import read
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.detection import profile_of
from surefoot_client import AsyncSurefootClient

_SAME_SCORE = 1e-6


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


async def _served(client: AsyncSurefootClient, target: Target) -> tuple[str, Profile]:
    """Name and profile of the target as it is served."""
    served = (await client.models()).models
    fitting = [card for card in served if card.id == target.name or (target.name is None and card.kind == "process")]
    if not fitting:
        names = ", ".join(card.id for card in served) or "none"
        raise ModelNotFound(f"no such process model is served; there are: {names}", param="name")
    card = fitting[0]
    if card.kind != "process":
        raise WrongModelKind(f"model {card.id} reads whole solutions: labelled steps need a process model")
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

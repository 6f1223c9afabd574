"""Labelled steps of a JSONL file, scored: the raw values that an evaluation works on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from surefoot.cli.jsonl_command import FileRun, Prepared
from surefoot.cli.jsonl_progress import show_summary
from surefoot.cli.jsonl_run import Failure, Outcome, RowShape, Tally
from surefoot.cli.named_model import Target, served_card
from surefoot.cli.report_files import made_directory
from surefoot.cli.score import score_rows
from surefoot.cli.service import Build
from surefoot.domain import Rows
from surefoot.evaluation.labelled_steps import FIELDS, NULLABLE, LabelledSteps, is_right, labelled_steps
from surefoot.profiles import Profile, builtin_names, load_profile
from surefoot.readout import read
from surefoot_client import AsyncSurefootClient, ModelInfo

if TYPE_CHECKING:
    from surefoot.evaluation.calibration import JudgedSolution

_SAME_SCORE = 1e-6
_SCORES = "scores.jsonl"

BatchSizeOption = Annotated[int, typer.Option(min=1, help="Rows a request.")]
ConcurrencyOption = Annotated[int, typer.Option(min=1, help="Requests at a time.")]


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
    """A file to be scored into `scores.jsonl` in `out`, in which the same run goes on where it was interrupted.

    Rows that cannot be scored are counted and named, and stop nothing.
    """

    source: Path
    target: Target
    batch_size: int
    concurrency: int
    out: Path
    overwrite: bool = False
    retry_failed: bool = False

    def execute(self, console: Console, build: Build) -> ScoredFile:
        """Score the rows that are not scored yet; says on `console` how it goes, and what failed."""
        scoring = _Scoring(self.target)
        scores = self.out / _SCORES
        made_directory(self.out)
        run = FileRun(
            self.source,
            scores,
            self.overwrite,
            self.retry_failed,
            False,
            self.batch_size,
            self.concurrency,
            LABELLED_ROW,
            lambda: self.target.client(build),
            scoring.prepare,
        )
        show_summary(console, run.complete(console))
        model, profile = scoring.served
        return ScoredFile(model, profile, _read_scores(scores), run.tally)


@dataclass(slots=True)
class _Scoring:
    """`served` are name and profile of the target, once it is prepared."""

    target: Target
    served: tuple[str, Profile] = field(init=False)

    async def prepare(self, client: AsyncSurefootClient) -> Prepared:
        card = served_card((await client.models()).models, self.target.name, "process")
        profile = _profile_of(card, self.target)
        self.served = card.id, profile

        async def work(items: Sequence[Mapping[str, object]]) -> list[Outcome]:
            rows = [labelled_steps(item) for item in items]
            sent = [{"problem": row.problem, "steps": list(row.steps)} for row in rows]
            found = await score_rows(client, sent, {"model": card.id, "priority": "bulk"})
            return [
                outcome if isinstance(outcome, Failure) else asdict(ScoredSteps(row, _raw(outcome, profile)))
                for row, outcome in zip(rows, found, strict=True)
            ]

        return Prepared(work, {"verb": "evaluate", "model": [card.id, card.fingerprint]})


def _read_scores(path: Path) -> list[ScoredSteps]:
    """What a whole run has written; rows that failed are left out."""
    found = []
    with path.open(encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            if "result" in row:
                raw = tuple(map(tuple, row["result"]["raw"]))
                found.append(ScoredSteps(LabelledSteps(**row["result"]["labelled"]), raw))
    return found


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


def _profile_of(card: ModelInfo, target: Target) -> Profile:
    """The profile of the target as it is served."""
    if target.profile is not None:
        return target.profile
    if card.profile not in builtin_names():
        raise typer.BadParameter("give the profile's file that the server uses for this model", param_hint="--profile")
    return load_profile(card.profile)


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

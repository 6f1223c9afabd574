"""Rows of labelled solutions and of systems' solutions, scored into files by two models and the checks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import typer

from surefoot.answers import EquivalenceJudge
from surefoot.cli.jsonl_command import Prepared
from surefoot.cli.jsonl_run import Failure, Outcome, RowShape
from surefoot.cli.named_model import served_card
from surefoot.cli.pool_rows import given_pool, judged
from surefoot.cli.pool_run import passing_failure
from surefoot.cli.score import score_rows
from surefoot.domain import Kind
from surefoot.evaluation.labelled_steps import first_wrong, is_right, is_settled, labelled_steps
from surefoot.evaluation.report_systems import SystemSolutions
from surefoot.evaluation.scored_solution import ScoredSolution
from surefoot.evaluation.step_discrimination import LabelledSolution
from surefoot_client import AsyncSurefootClient, ModelInfo

_CHECKS = ("arithmetic",)


@dataclass(slots=True)
class ReportModels:
    """The process model, by default the first, and an outcome model if one is named; `cards` once they are served."""

    process: str | None
    outcome: str | None
    cards: dict[Kind, ModelInfo] = field(default_factory=dict)

    async def find(self, client: AsyncSurefootClient) -> dict[str, object]:
        """What scores depend on. Raises `ModelNotFound` and `WrongModelKind`."""
        served = (await client.models()).models
        self.cards = {"process": served_card(served, self.process, "process")}
        if self.outcome is not None:
            self.cards["outcome"] = served_card(served, self.outcome, "outcome")
        return {"verb": "evaluate report", "models": [[card.id, card.fingerprint] for card in self.cards.values()]}

    async def score(
        self, client: AsyncSurefootClient, sent: Sequence[Mapping[str, object]]
    ) -> list[dict[Kind, Outcome]]:
        """What both models say of each solution, the checks with the process model's scores."""
        found: dict[Kind, list[Outcome]] = {}
        for kind, card in self.cards.items():
            options: dict[str, object] = {"model": card.id, "priority": "bulk"}
            if kind == "process":
                options |= {"checks": _CHECKS, "combine_checks": card.scale == "probability"}
            found[kind] = await score_rows(client, sent, options)
        return [dict(zip(found, outcomes, strict=True)) for outcomes in zip(*found.values(), strict=True)]


@dataclass(frozen=True, slots=True)
class LabelledScoring:
    """Scores labelled solutions; one that a model cannot score is a failed row."""

    models: ReportModels

    async def prepare(self, client: AsyncSurefootClient) -> Prepared:
        """The work on a batch of rows."""

        async def work(items: Sequence[Mapping[str, object]]) -> list[Outcome]:
            rows = [labelled_steps(item) for item in items]
            found = await self.models.score(
                client, [{"problem": row.problem, "steps": list(row.steps)} for row in rows]
            )
            outcomes: list[Outcome] = []
            for row, by_kind in zip(rows, found, strict=True):
                failed = next((each for each in by_kind.values() if isinstance(each, Failure)), None)
                told = {"labels": list(row.labels), "has_neutral": row.has_neutral}
                outcomes.append(failed or told | {"scored": _scored("\n".join(row.steps), by_kind)})
            return outcomes

        return Prepared(work, await self.models.find(client))


@dataclass(frozen=True, slots=True)
class SystemScoring:
    """Scores the systems' solutions of a problem; one that a model cannot score, for good, has no score."""

    models: ReportModels
    judge: EquivalenceJudge

    async def prepare(self, client: AsyncSurefootClient) -> Prepared:
        """The work on a batch of problems."""

        async def work(items: Sequence[Mapping[str, Any]]) -> list[Outcome]:
            pools = [given_pool(item) for item in items]
            sent = [{"problem": pool.problem, "solution": each.text} for pool in pools for each in pool.candidates]
            found = iter(await self.models.score(client, sent))
            outcomes: list[Outcome] = []
            for pool in pools:
                # The judge may wait for a process of its own.
                verdicts = await asyncio.to_thread(judged, pool, self.judge)
                scores = [next(found) for _ in verdicts]
                told = [
                    {**asdict(verdict), "scored": _scored(given.text, by_kind)}
                    for verdict, given, by_kind in zip(verdicts, pool.candidates, scores, strict=True)
                ]
                outcomes.append(passing_failure(scores) or {"candidates": told})
            return outcomes

        return Prepared(work, await self.models.find(client))


def systems_of(path: Path) -> tuple[str, ...]:
    """The systems whose solutions the first row holds. Raises `typer.BadParameter` where that cannot be said."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            row = json.loads(next(lines, ""))
        names = tuple(name for name, entry in row.items() if isinstance(entry, dict) and "solution" in entry)
    except (OSError, ValueError, AttributeError):
        names = ()
    if len(names) < 2:
        raise typer.BadParameter(
            'the first row must be {"question", "ground_truth"} and two systems at least, each {"is_correct", '
            '"solution"} by its name',
            param_hint="--systems",
        )
    return names


def system_row(systems: Sequence[str]) -> RowShape:
    """Rows that hold a solution of each of these systems."""

    def refusal(item: Mapping[str, Any]) -> str | None:
        if not all(isinstance(item.get(name), Mapping) and "solution" in item[name] for name in systems):
            return "the row must hold the systems of the first row"
        try:
            given_pool(item)
        except ValueError as cause:
            return str(cause)
        return None

    return RowShape(("question", "ground_truth", *systems), refusal)


def read_labelled(path: Path) -> list[LabelledSolution]:
    """The solutions of a whole run; a neutral step counts as right, and a solution without `is_correct` is as right as
    its steps where these are known."""
    rows = list(_results(path))
    zero_is_neutral = any(result["has_neutral"] for _, result in rows)
    found = []
    for extra, result in rows:
        labels = tuple(is_right(label, zero=zero_is_neutral) for label in result["labels"])
        is_correct, family = extra.get("is_correct"), extra.get("family")
        if not isinstance(is_correct, bool):
            is_correct = first_wrong(labels) is None if is_settled(labels) else None
        named = family if isinstance(family, str) else None
        found.append(LabelledSolution(_read_scored(result["scored"]), labels, named, is_correct))
    return found


def read_systems(path: Path, systems: tuple[str, ...]) -> SystemSolutions:
    """The solutions of a whole run."""
    rows = [result["candidates"] for _, result in _results(path)]
    return SystemSolutions(
        systems,
        [[_read_scored(each["scored"]) for each in row] for row in rows],
        np.array([[each["is_right"] for each in row] for row in rows], dtype=bool).reshape(len(rows), len(systems)),
        [[each["answer_group"] if each["answer"] is not None else None for each in row] for row in rows],
    )


def _results(path: Path) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """What was carried along and the result, of every row that has one."""
    with path.open(encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            if "result" in row:
                yield row.get("extra", {}), row["result"]


def _scored(text: str, by_kind: Mapping[Kind, Outcome]) -> dict[str, Any]:
    """A `ScoredSolution` as JSON; a model that failed says nothing."""
    said: dict[str, Any] = {"num_characters": len(text)}
    process, outcome = by_kind["process"], by_kind.get("outcome")
    if not isinstance(process, Failure):
        result: Mapping[str, Any] = process
        said["steps"] = [step["score"] for step in result["steps"]]
        said["failed"] = [any(check["verdict"] == "fail" for check in step["checks"]) for step in result["steps"]]
        said["aggregates"] = result["aggregations"]
        if (checked := result.get("checked")) is not None:
            said["both"], said["both_aggregates"] = checked["step_scores"], checked["aggregations"]
    if outcome is not None and not isinstance(outcome, Failure):
        said["outcome"] = outcome["score"]
    return said


def _read_scored(said: Mapping[str, Any]) -> ScoredSolution:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
    return ScoredSolution(**values)

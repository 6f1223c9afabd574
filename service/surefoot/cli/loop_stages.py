"""Stages of a round that ask a model: sampling, scoring, rollouts. Each grows a file, and goes on where it stopped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from surefoot.answers import EquivalenceJudge
from surefoot.cli.jsonl_progress import shown_progress
from surefoot.cli.jsonl_retry import is_retryable
from surefoot.cli.jsonl_run import Failure, Outcome
from surefoot.cli.loop_pool import GivenProblem
from surefoot.cli.named_model import Target, served_card
from surefoot.cli.sampling_run import Drawing, ServedSampler, drawn, sampling_service
from surefoot.cli.score import score_rows
from surefoot.cli.service import FOR_FILES, Build, in_process
from surefoot.sampling.seeds import problem_seed
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.rollouts import rollout_labels
from surefoot.training.rounds import row_key
from surefoot_client import ERRORS_BY_CODE

Item = TypeVar("Item")
Grown = list[dict[str, Any]]

_SCORED_AT_ONCE, _DRAWN_AT_ONCE = 32, 8


@dataclass(frozen=True, slots=True)
class Stages:
    """What the stages share; `drawing` says how solutions are drawn, and rollouts but for their number."""

    drawing: Drawing
    config: Path | None
    build: Build
    console: Console

    def sampled(self, path: Path, problems: Sequence[GivenProblem], round_number: int) -> Grown:
        """`{"problem", "answer", "solutions"}` for each problem, the drawing's `n` solutions of each."""

        async def work() -> Grown:
            async with sampling_service(None, self.config, self.build) as client:

                async def draw(given: GivenProblem) -> dict[str, Any]:
                    options = self.drawing.options(self._seed(round_number, given.problem))
                    found = await drawn(client, given.problem, options, self.drawing.generator)
                    texts = [candidate.text for candidate in found.candidates]
                    return {"problem": given.problem, "answer": given.answer, "solutions": texts}

                return await _grown(path, problems, _side_by_side(draw), _DRAWN_AT_ONCE, self.console)

        return _whole(path, len(problems)) or asyncio.run(work())

    def scored(self, path: Path, rows: Sequence[LabelledRow], target: Target) -> list[float | None]:
        """The score of each row by the process model, `None` where it cannot be scored. Raises what may pass."""

        async def work() -> Grown:
            if target.settings is None:
                raise AssertionError("the model is one of the settings")
            async with in_process(target.settings, self.build, FOR_FILES) as client:
                model = served_card((await client.models()).models, None, "process").id

                async def score(part: Sequence[LabelledRow]) -> Grown:
                    sent = [{"problem": row.problem, "steps": list(row.steps)} for row in part]
                    outcomes = await score_rows(client, sent, {"model": model, "priority": "bulk"})
                    return [_score_of(outcome) for outcome in outcomes]

                return await _grown(path, rows, score, _SCORED_AT_ONCE, self.console)

        return [row["score"] for row in _whole(path, len(rows)) or asyncio.run(work())]

    def rolled_out(
        self, path: Path, rows: Sequence[LabelledRow], k: int, judge: EquivalenceJudge, round_number: int
    ) -> Grown:
        """`{"fractions"}` for each row, of `k` completions a step."""

        async def work() -> Grown:
            async with sampling_service(None, self.config, self.build) as client:
                sampler = ServedSampler(client, self.drawing.generator)

                async def label(row: LabelledRow) -> dict[str, Any]:
                    options = replace(self.drawing, n=k).options(self._seed(round_number, row_key(row)))
                    return {"fractions": list((await rollout_labels(row, sampler, judge, options)).fractions)}

                return await _grown(path, rows, _side_by_side(label), _DRAWN_AT_ONCE, self.console)

        return _whole(path, len(rows)) or asyncio.run(work())

    def _seed(self, round_number: int, text: str) -> int:
        return problem_seed(problem_seed(self.drawing.seed, f"{round_number}"), text)


def _side_by_side(
    work: Callable[[Item], Awaitable[dict[str, Any]]],
) -> Callable[[Sequence[Item]], Awaitable[Grown]]:
    """The same for all items of a batch at a time."""

    async def together(items: Sequence[Item]) -> Grown:
        return list(await asyncio.gather(*map(work, items)))

    return together


def _score_of(outcome: Outcome) -> dict[str, Any]:
    """A row of scores. Raises the error of a failure that may pass: it says nothing of the solution."""
    if not isinstance(outcome, Failure):
        return {"score": outcome["score"]}
    if is_retryable(outcome.code):
        raise ERRORS_BY_CODE[outcome.code](outcome.message)
    return {"score": None, "error": outcome.code}


async def _grown(
    path: Path,
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], Awaitable[Grown]],
    batch_size: int,
    console: Console,
) -> Grown:
    """A row for each item, appended batch by batch; whole batches that are there are kept."""
    rows = _cut_to_batches(path, batch_size)
    with shown_progress(console, len(rows), len(items)) as advance, path.open("a", encoding="utf-8") as out:
        for start in range(len(rows), len(items), batch_size):
            found = await work(items[start : start + batch_size])
            out.writelines(map(_line, found))
            out.flush()
            rows += found
            for _ in found:
                advance()
    return rows


def _cut_to_batches(path: Path, batch_size: int) -> Grown:
    """Leave whole batches in the file: with others than an unbroken run has, scores might differ in their last bits."""
    rows = _rows_in(path)
    rows = rows[: len(rows) - len(rows) % batch_size]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(map(_line, rows)), encoding="utf-8")
    return rows


def _whole(path: Path, wanted: int) -> Grown | None:
    """All rows, if all are there: then nothing has to be loaded."""
    rows = _rows_in(path)
    return rows if len(rows) == wanted else None


def _rows_in(path: Path) -> Grown:
    """Whole rows; what a killed run left half written is left out."""
    if not path.is_file():
        return []
    content = path.read_bytes()
    return [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines()]


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"

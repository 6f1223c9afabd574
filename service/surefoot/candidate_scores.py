"""What the models that a strategy needs say of candidates, asked side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from surefoot.domain import (
    GroupScore,
    Message,
    ScoreOptions,
    ScoreTask,
    SolutionScore,
    Strategy,
    Timing,
    Usage,
)
from surefoot.errors import InvalidRequest, NoSteps
from surefoot.pipeline import ModelScorer
from surefoot.selection import NEEDS_UNIT_SCORES
from surefoot.summary import check_aggregation, check_step_checks, check_unit_scores


@dataclass(frozen=True, slots=True)
class CandidateInput:
    """A candidate as given: a text or steps; `answer` overrides what would be extracted."""

    text: str | None = None
    steps: tuple[str, ...] | None = None
    answer: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class RankTask:
    """Candidates for one problem."""

    problem: str
    candidates: tuple[CandidateInput, ...]
    context: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class RankOptions:
    """How groups are ranked; `process` and `outcome` are the lines to use, `None` where there is none to use."""

    strategy: Strategy = "process"
    process: ModelScorer | None = None
    outcome: ModelScorer | None = None
    score: ScoreOptions = field(default_factory=ScoreOptions)
    tie_seed: int | None = None
    abstain_below: float | None = None


Verdict = SolutionScore | Exception | None
"""What a model says of a candidate: its score, why there is none, or `None` where it was not asked."""


@dataclass(frozen=True, slots=True)
class CandidateScores:
    """The models' verdicts on candidates, one of each per candidate in order, and what they cost."""

    process: tuple[Verdict, ...]
    outcome: tuple[Verdict, ...]
    usage: Usage
    timing: Timing


def check_options(options: RankOptions) -> None:
    """Raises for what the models cannot give, before any work is done.

    `AggregationNotDefined` where a scale has no such aggregate, `InvalidRequest` for checks without a process model
    whose scores are probabilities.
    """
    if options.score.checks and options.process is None:
        raise InvalidRequest(
            f"checks look at the steps that a process model scores, and strategy {options.strategy!r} asks none: "
            "name one in model",
            param="checks",
        )
    for line in (options.process, options.outcome):
        if line is None:
            continue
        own = _own_options(line, options.score)
        check_aggregation(line.profile, own.aggregation)
        check_step_checks(line.profile, own)
        if options.strategy in NEEDS_UNIT_SCORES:
            check_unit_scores(line.profile, options.score.aggregation)


async def score_candidates(tasks: Sequence[RankTask], options: RankOptions) -> CandidateScores:
    """The verdicts of the models that `options` name on all candidates of all tasks, one after another.

    A candidate that fails does so alone; a request-wide failure raises, and withdraws the other model's work.
    """
    started = time.perf_counter()
    score_tasks = [
        ScoreTask(task.problem, candidate.text, candidate.steps, task.context, candidate.id)
        for task in tasks
        for candidate in task.candidates
    ]
    process, outcome = await _score_both(options, score_tasks)
    scored = [result for result in (process, outcome) if result is not None]
    nothing = (None,) * len(score_tasks)
    return CandidateScores(
        process=nothing if process is None else process.results,
        outcome=nothing if outcome is None else outcome.results,
        usage=_add_usage([result.usage for result in scored]),
        timing=Timing(
            queue_s=max((result.timing.queue_s for result in scored), default=0.0),
            forward_s=sum(result.timing.forward_s for result in scored),
            total_s=time.perf_counter() - started,
        ),
    )


def join_scores(parts: Sequence[CandidateScores]) -> CandidateScores:
    """Scores that were taken side by side as one: token counts add up, of times the longest counts."""
    timings = [part.timing for part in parts]
    return CandidateScores(
        process=tuple(verdict for part in parts for verdict in part.process),
        outcome=tuple(verdict for part in parts for verdict in part.outcome),
        usage=_add_usage([part.usage for part in parts]),
        timing=Timing(
            queue_s=max((timing.queue_s for timing in timings), default=0.0),
            forward_s=max((timing.forward_s for timing in timings), default=0.0),
            total_s=max((timing.total_s for timing in timings), default=0.0),
        ),
    )


def first_failure(candidate: CandidateInput, process: Verdict, outcome: Verdict) -> Exception | None:
    """Why a candidate cannot be ranked, if so."""
    if not text_of(candidate).strip():
        return NoSteps("the candidate is empty", param="candidates")
    return next((verdict for verdict in (process, outcome) if isinstance(verdict, Exception)), None)


async def _score_both(options: RankOptions, tasks: Sequence[ScoreTask]) -> tuple[GroupScore | None, GroupScore | None]:
    """Both models at once; when one refuses the group the other's work is withdrawn."""
    jobs = [
        None if line is None else asyncio.ensure_future(line.score_group(tasks, _own_options(line, options.score)))
        for line in (options.process, options.outcome)
    ]
    running = [job for job in jobs if job is not None]
    try:
        await asyncio.gather(*running)
    finally:
        for job in running:
            job.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    process, outcome = (None if job is None else job.result() for job in jobs)
    return process, outcome


def _own_options(line: ModelScorer, options: ScoreOptions) -> ScoreOptions:
    """Aggregation, threshold and checks speak of steps; an outcome model has none."""
    if line.profile.kind == "process":
        return options
    return replace(options, aggregation=None, threshold=None, checks=(), combine_checks=False)


def text_of(candidate: CandidateInput) -> str:
    """The whole candidate, however it was given."""
    return candidate.text if candidate.text is not None else "\n".join(candidate.steps or ())


def _add_usage(parts: Sequence[Usage]) -> Usage:
    return Usage(
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        unique_tokens=sum(part.unique_tokens for part in parts),
        cached_tokens=sum(part.cached_tokens for part in parts),
    )

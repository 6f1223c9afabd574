"""Candidates of a problem, scored by the models that a strategy needs and put in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from surefoot.answers import EquivalenceJudge, extract_answer, group_answers
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
from surefoot.errors import EmptyProblem, InvalidRequest, ItemError, NoSteps
from surefoot.pipeline import ModelScorer
from surefoot.ports import SilentTelemetry, Telemetry
from surefoot.selection import NEEDS_UNIT_SCORES, RankEntry, Selection, select
from surefoot.summary import check_aggregation, check_step_checks, check_unit_scores, has_unit_scores, unit_score


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


@dataclass(frozen=True, slots=True)
class RankedGroup:
    """One problem's candidates in order. Per candidate index: its entry, answer, scores where asked, and error."""

    selection: Selection
    entries: tuple[RankEntry, ...]
    answers: tuple[str | None, ...]
    process: tuple[SolutionScore | None, ...]
    outcome: tuple[SolutionScore | None, ...]
    errors: tuple[Exception | None, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """All groups of one request, in order, and what they cost together; a group may be an error of its own."""

    groups: tuple[RankedGroup | ItemError, ...]
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
    if not _text(candidate).strip():
        return NoSteps("the candidate is empty", param="candidates")
    return next((verdict for verdict in (process, outcome) if isinstance(verdict, Exception)), None)


def final_answer(candidate: CandidateInput) -> str | None:
    """The answer that was given with a candidate, or the one found in it."""
    return candidate.answer or extract_answer(_text(candidate))


class Ranker:
    """Ranks groups of candidates; equivalent answers are one vote, as the judge says."""

    def __init__(self, judge: EquivalenceJudge, telemetry: Telemetry | None = None) -> None:
        self.judge = judge
        self._telemetry = telemetry or SilentTelemetry()

    async def rank(self, tasks: Sequence[RankTask], options: RankOptions) -> Ranking:
        """Rank each task's candidates. A failed candidate stands last; a request-wide failure raises."""
        started = time.perf_counter()
        check_options(options)
        ranking = await self.rank_scored(tasks, await score_candidates(tasks, options), options)
        report_agreement(ranking, options, self._telemetry)
        return replace(ranking, timing=replace(ranking.timing, total_s=time.perf_counter() - started))

    async def rank_scored(self, tasks: Sequence[RankTask], scores: CandidateScores, options: RankOptions) -> Ranking:
        """Rank candidates by scores that `score_candidates` gave with the same options, in the same order."""
        groups: list[RankedGroup | ItemError] = []
        offset = 0
        for task in tasks:
            part = slice(offset, offset + len(task.candidates))
            offset += len(task.candidates)
            groups.append(
                await asyncio.to_thread(self._rank_one, task, options, scores.process[part], scores.outcome[part])
            )
        return Ranking(tuple(groups), scores.usage, scores.timing)

    def _rank_one(
        self,
        task: RankTask,
        options: RankOptions,
        process: Sequence[Verdict],
        outcome: Sequence[Verdict],
    ) -> RankedGroup | ItemError:
        if not task.problem.strip():
            return EmptyProblem("problem is empty: send the question that the candidates answer", param="problem")
        errors = tuple(
            first_failure(candidate, *scores)
            for candidate, *scores in zip(task.candidates, process, outcome, strict=True)
        )
        answers = tuple(
            None if error else final_answer(candidate) for candidate, error in zip(task.candidates, errors, strict=True)
        )
        groups = group_answers(answers, self.judge)
        entries = tuple(
            _entry(index, answers[index], groups[index], errors[index], process[index], outcome[index], options)
            for index in range(len(task.candidates))
        )
        selection = select(options.strategy, entries, tie_seed=options.tie_seed, abstain_below=options.abstain_below)
        return RankedGroup(selection, entries, answers, _scores_only(process), _scores_only(outcome), errors)


def report_agreement(ranking: Ranking, options: RankOptions, telemetry: Telemetry) -> None:
    """Tell what both models said of the candidates, where both were asked."""
    if options.process is None or options.outcome is None:
        return
    for group in ranking.groups:
        if isinstance(group, RankedGroup):
            pairs = zip(group.process, group.outcome, strict=True)
            both = [(process, outcome) for process, outcome in pairs if process and outcome]
            telemetry.models_compared(options.process.name, options.outcome.name, both)


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


def _entry(
    index: int,
    answer: str | None,
    group: int | None,
    error: Exception | None,
    process: Verdict,
    outcome: Verdict,
    options: RankOptions,
) -> RankEntry:
    if error is not None:
        return RankEntry(index, None, None, failed=True)
    by_process = _weights(options.process, process, options)
    by_outcome = _weights(options.outcome, outcome, options)
    return RankEntry(index, answer, group, *by_process, *by_outcome)


def _weights(line: ModelScorer | None, score: Verdict, options: RankOptions) -> tuple[float | None, float | None]:
    if line is None or not isinstance(score, SolutionScore):
        return None, None
    said = score.checked or score
    if not has_unit_scores(line.profile, options.score.aggregation):
        return said.score, None
    return said.score, unit_score(line.profile, said, options.score.aggregation)


def _text(candidate: CandidateInput) -> str:
    return candidate.text if candidate.text is not None else "\n".join(candidate.steps or ())


def _scores_only(scores: Sequence[Verdict]) -> tuple[SolutionScore | None, ...]:
    return tuple(score if isinstance(score, SolutionScore) else None for score in scores)


def _add_usage(parts: Sequence[Usage]) -> Usage:
    return Usage(
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        unique_tokens=sum(part.unique_tokens for part in parts),
        cached_tokens=sum(part.cached_tokens for part in parts),
    )

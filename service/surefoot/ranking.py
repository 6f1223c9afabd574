"""Candidates of a problem, scored by the models that a strategy needs and put in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from surefoot.answers import EquivalenceJudge, extract_answer, group_answers
from surefoot.candidate_scores import (
    CandidateInput,
    CandidateScores,
    RankOptions,
    RankTask,
    Verdict,
    check_options,
    first_failure,
    score_candidates,
    text_of,
)
from surefoot.domain import SolutionScore, Timing, Usage
from surefoot.errors import EmptyProblem, ItemError
from surefoot.pipeline import ModelScorer
from surefoot.ports import SilentTelemetry, Telemetry
from surefoot.selection import RankEntry, Selection, select
from surefoot.summary import has_unit_scores, unit_score


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


def final_answer(candidate: CandidateInput) -> str | None:
    """The answer that was given with a candidate, or the one found in it."""
    return candidate.answer or extract_answer(text_of(candidate))


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


def _scores_only(scores: Sequence[Verdict]) -> tuple[SolutionScore | None, ...]:
    return tuple(score if isinstance(score, SolutionScore) else None for score in scores)

"""Which candidates of given problems are worth a label, by the scores of a process model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from surefoot.answers import EquivalenceJudge, group_answers
from surefoot.candidate_scores import RankOptions, RankTask, Verdict, check_options, first_failure, score_candidates
from surefoot.convincing import Choice, Judged, choose_convincing
from surefoot.domain import ScoreOptions, SolutionScore, Timing, Usage
from surefoot.errors import EmptyProblem, ItemError
from surefoot.pipeline import ModelScorer
from surefoot.ranking import final_answer

JUDGING_S = 5.0
"""Seconds for comparing one problem's answers; those that are not reached count as different."""


@dataclass(frozen=True, slots=True)
class LabelTask:
    """Candidates of one problem, and its right answer."""

    candidates: RankTask
    answer: str


@dataclass(frozen=True, slots=True)
class ChosenGroup:
    """One problem's choices; per candidate index its answer, score, error, and whether the answer is right."""

    choices: tuple[Choice, ...]
    answers: tuple[str | None, ...]
    is_correct: tuple[bool | None, ...]
    scores: tuple[SolutionScore | None, ...]
    errors: tuple[Exception | None, ...]


@dataclass(frozen=True, slots=True)
class Labelling:
    """All problems of one request, in order, and what they cost together."""

    groups: tuple[ChosenGroup | ItemError, ...]
    usage: Usage
    timing: Timing


async def choose_for_labelling(
    tasks: Sequence[LabelTask],
    line: ModelScorer,
    options: ScoreOptions,
    judge: EquivalenceJudge,
    *,
    top_k: int,
    wrong_fraction: float,
) -> Labelling:
    """Score all candidates with the process model and choose those of each problem. A failed one is never chosen."""
    started = time.perf_counter()
    rank_options = RankOptions(strategy="process", process=line, score=options)
    check_options(rank_options)
    scores = await score_candidates([task.candidates for task in tasks], rank_options)
    groups: list[ChosenGroup | ItemError] = []
    offset = 0
    for task in tasks:
        part = slice(offset, offset + len(task.candidates.candidates))
        offset = part.stop
        verdicts = scores.process[part]
        groups.append(await asyncio.to_thread(_choose, task, verdicts, judge, top_k, wrong_fraction))
    timing = Timing(scores.timing.queue_s, scores.timing.forward_s, time.perf_counter() - started)
    return Labelling(tuple(groups), scores.usage, timing)


def _choose(
    task: LabelTask, verdicts: Sequence[Verdict], judge: EquivalenceJudge, top_k: int, wrong_fraction: float
) -> ChosenGroup | ItemError:
    if not task.candidates.problem.strip():
        return EmptyProblem("problem is empty: send the question that the candidates answer", param="problem")
    candidates = task.candidates.candidates
    errors = tuple(
        first_failure(candidate, verdict, None) for candidate, verdict in zip(candidates, verdicts, strict=True)
    )
    answers = tuple(
        None if error else final_answer(candidate) for candidate, error in zip(candidates, errors, strict=True)
    )
    is_correct = _correctness(task.answer, answers, judge)
    scores = tuple(verdict if isinstance(verdict, SolutionScore) else None for verdict in verdicts)
    pool = [
        Judged(index, score.score, is_correct[index])
        for index, (score, error) in enumerate(zip(scores, errors, strict=True))
        if score is not None and error is None
    ]
    return ChosenGroup(choose_convincing(pool, top_k, wrong_fraction), answers, is_correct, scores, errors)


def _correctness(right_answer: str, answers: Sequence[str | None], judge: EquivalenceJudge) -> tuple[bool | None, ...]:
    """Whether each answer is one vote with the right one; `None` for no answer.

    Each is compared with the right answer alone: among many answers the bounds of a grouping would be spent on
    comparing wrong ones with each other, and call a right one wrong.
    """
    deadline = time.monotonic() + JUDGING_S
    known: dict[str, bool] = {}
    for answer in answers:
        if answer is not None and answer not in known:
            budget_s = deadline - time.monotonic()
            first, second = group_answers([right_answer, answer], judge, time_budget_s=budget_s)
            known[answer] = first == second
    return tuple(None if answer is None else known[answer] for answer in answers)

"""Rows of candidate pools: problems, each with several solutions and what tells the right ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surefoot.answers import EquivalenceJudge, extract_answer, group_answers
from surefoot.cli.jsonl_run import RowShape
from surefoot.errors import NoSteps
from surefoot.training.model_solutions import sampled_solutions, steps_of

_SYSTEMS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
"""Whose solutions the model solutions of GSM8K hold."""

_FIELDS = ("problem", "answer", "candidates", "solutions", "question", "ground_truth", *_SYSTEMS)


@dataclass(frozen=True, slots=True)
class GivenCandidate:
    """A solution as it was given; what is `None` is found out from its text."""

    text: str
    answer: str | None = None
    is_correct: bool | None = None


@dataclass(frozen=True, slots=True)
class GivenPool:
    """A problem, its right answer where that is known, and its candidates."""

    problem: str
    answer: str | None
    candidates: tuple[GivenCandidate, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate's answer, the class of it among the pool's, and whether it is right."""

    answer: str | None
    answer_group: int | None
    is_right: bool


def given_pool(row: Mapping[str, Any]) -> GivenPool:
    """The pool of a row: `{"problem", "answer", "candidates"}`, or one that `sampled_solutions` reads.

    Raises `ValueError`, which names the field and holds nothing of what is in it.
    """
    if "candidates" not in row and ("solutions" in row or "ground_truth" in row):
        sampled = sampled_solutions(row)
        candidates = tuple(GivenCandidate(_plain(text)) for _, text in sampled.solutions)
        return GivenPool(sampled.problem, sampled.answer, candidates)
    problem, answer, given = row.get("problem"), row.get("answer"), row.get("candidates")
    if not isinstance(problem, str) or not problem.strip():
        raise ValueError("problem must be a text that is not blank")
    if answer is not None and (not isinstance(answer, str) or not answer.strip()):
        raise ValueError("answer must be a text that is not blank")
    if not isinstance(given, list) or not given:
        raise ValueError("candidates must be a list, one at least")
    candidates = tuple(map(_candidate, given))
    if answer is None and any(candidate.is_correct is None for candidate in candidates):
        raise ValueError("give answer, the right one, or is_correct with every candidate")
    return GivenPool(problem, answer, candidates)


def judged(pool: GivenPool, judge: EquivalenceJudge) -> list[Judged]:
    """Every candidate, right where that is given or its answer is equivalent to the pool's."""
    answers = [candidate.answer or extract_answer(candidate.text) for candidate in pool.candidates]
    right, *groups = group_answers([pool.answer, *answers], judge)
    return [
        Judged(answer, group, group is not None and group == right if given.is_correct is None else given.is_correct)
        for given, answer, group in zip(pool.candidates, answers, groups, strict=True)
    ]


def _candidate(given: object) -> GivenCandidate:
    if isinstance(given, str):
        return GivenCandidate(given)
    if not isinstance(given, Mapping) or not isinstance(given.get("text"), str):
        raise ValueError('candidates must be texts or {"text", "answer", "is_correct"}')  # noqa: TRY004  as in `labelled_steps`
    answer, is_correct = given.get("answer"), given.get("is_correct")
    if answer is not None and not isinstance(answer, str):
        raise ValueError("candidates: answer must be a text")
    if is_correct is not None and not isinstance(is_correct, bool):
        raise ValueError("candidates: is_correct must be true or false")
    return GivenCandidate(given["text"], answer, is_correct)


def _plain(text: str) -> str:
    """A solution without annotations, as one that is trained on."""
    try:
        return "\n".join(steps_of(text))
    except NoSteps:
        return ""


def _refusal(item: Mapping[str, object]) -> str | None:
    try:
        given_pool(item)
    except ValueError as cause:
        return str(cause)
    return None


POOL_ROW = RowShape(_FIELDS, _refusal)

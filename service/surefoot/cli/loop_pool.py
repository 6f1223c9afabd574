"""Files of the loop: pools of solutions, problems to sample for, and rows that are labelled already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from surefoot.answers import EquivalenceJudge
from surefoot.cli.data_run import excluded_problems
from surefoot.cli.jsonl_run import Tally
from surefoot.cli.pool_rows import given_pool
from surefoot.cli.row_file import read_file
from surefoot.errors import ExamplesInvalid
from surefoot.training.dataset import problem_of
from surefoot.training.labelled_row import LabelledRow, rows_from
from surefoot.training.model_solutions import (
    SampledSolutions,
    has_right_answer,
    results_of,
    rows_of,
    sampled_solutions,
)
from surefoot.training.phrasing import plain_number
from surefoot.training.rounds import KeptApart, PoolSolution
from surefoot.training.worked_solution import final_answer_of

_STATED = "####"
"""What GSM8K writes before the final answer, behind the solution."""


@dataclass(frozen=True, slots=True)
class LoopFiles:
    """What a loop reads; solutions come from the `pool`, or are sampled for the `problems`."""

    problems: Path | None
    pool: Path | None
    seed_rows: Path | None
    validation: Path
    exclude: tuple[Path, ...]

    def __iter__(self) -> Iterator[Path]:
        given = (self.problems, self.pool, self.seed_rows, self.validation, *self.exclude)
        return (path for path in given if path is not None)


@dataclass(frozen=True, slots=True)
class GivenProblem:
    """A problem with its right answer, and the results of its solution where there is one."""

    problem: str
    answer: str
    reference: frozenset[Fraction] = frozenset()


def kept_apart(files: LoopFiles) -> KeptApart:
    """What must not be trained on. Raises `ExamplesInvalid` for an excluded problem that cannot be read."""
    excluded = (problem for path in files.exclude for problem in excluded_problems(path, _nothing))
    validated = (problem for _, problem in _whole(files.validation, problem_of, "--validation"))
    return KeptApart(excluded, validated)


def pool_solutions(path: Path, judge: EquivalenceJudge, tally: Tally) -> list[PoolSolution]:
    """The solutions of a file of labelled rows, or of candidates of which the right answer is known."""
    labelled: list[Mapping[str, Any]] = []
    found: list[PoolSolution] = []
    for number, row in read_file("--pool", path, _pool_row, tally, _nothing):
        if isinstance(row, SampledSolutions):
            found += solutions_of(row, judge, path.stem, number)
        else:
            labelled.append(row)
    return [*found, *(PoolSolution(_compared(row, judge)) for row in rows_from(labelled, path.stem))]


def solutions_of(
    sampled: SampledSolutions, judge: EquivalenceJudge, source: str, number: int
) -> Iterator[PoolSolution]:
    """Those of one problem that have steps."""
    return (PoolSolution(row, sampled.reference) for row in rows_of(sampled, judge, source, number))


def given_problems(path: Path, apart: KeptApart) -> list[GivenProblem]:
    """Each problem once, without those kept apart. Raises `ExamplesInvalid` for a row that cannot be read: the seeds of
    the others would depend on it."""
    rows = (row for _, row in _whole(path, _problem, "--problems"))
    return list({row.problem: row for row in rows if row.problem not in apart}.values())


def seed_rows(path: Path | None, apart: KeptApart) -> list[LabelledRow]:
    """Rows to train on from the first round on. Raises `ExamplesInvalid` for one that cannot be read."""
    if path is None:
        return []
    rows = rows_from([row for _, row in _whole(path, _labelled, "--seed-rows")], path.stem)
    return [row for row in rows if row.problem not in apart]


def without_apart(pool: Iterable[PoolSolution], apart: KeptApart) -> list[PoolSolution]:
    """Solutions of problems that may be trained on."""
    return [solution for solution in pool if solution.row.problem not in apart]


def _whole(path: Path, read: Callable[[Mapping[str, Any]], Any], option: str) -> list[tuple[int, Any]]:
    tally = Tally()
    found = list(read_file(option, path, read, tally, _nothing))
    if tally.failed:
        line, failure = tally.shown[0]
        raise ExamplesInvalid(f"line {line}: {failure.message}; correct it or leave it out", param=option)
    return found


def _pool_row(row: Mapping[str, Any]) -> Mapping[str, Any] | SampledSolutions:
    if "candidates" in row:
        pool = given_pool(row)
        if pool.answer is None:
            raise ValueError("answer must be the right one: what is convincing and wrong depends on it")
        texts = tuple((f"{place}", candidate.text) for place, candidate in enumerate(pool.candidates))
        return SampledSolutions(pool.problem, pool.answer, texts)
    if "solutions" in row or "ground_truth" in row:
        return sampled_solutions(row)
    return _labelled(row)


def _labelled(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row if it can be read. Read again with the others of its file, which say what its zeros mean."""
    rows_from([row], "")
    return row


def _compared(row: LabelledRow, judge: EquivalenceJudge) -> LabelledRow:
    if row.is_correct is not None or row.answer is None:
        return row
    return replace(row, is_correct=has_right_answer(row.steps, row.answer, judge))


def _problem(row: Mapping[str, Any]) -> GivenProblem:
    problem, answer, solution = problem_of(row), row.get("answer"), row.get("solution", "")
    if not isinstance(answer, str) or not answer.strip() or not isinstance(solution, str):
        raise ValueError("answer must be a text that is not blank, and solution, if there is one, a text")
    if _STATED not in answer:
        return GivenProblem(problem, answer, results_of(solution))
    final = final_answer_of(answer.strip().splitlines()[-1])
    if final is None:
        raise ValueError("answer must end with a line `#### x`, x a number")
    return GivenProblem(problem, plain_number(final), results_of(answer))


def _nothing() -> None:
    pass

"""Solutions that models wrote, labelled by their final answer, and step by step where that is certain.

Two sorts of rows are read: `{"problem", "solutions": [...], "answer"}`, and the model solutions that come with GSM8K:
`{"question", "ground_truth"}` and, by the name of each system, `{"is_correct", "solution"}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from surefoot.answers import EquivalenceJudge, extract_answer, group_answers
from surefoot.checks.arithmetic import check_arithmetic
from surefoot.errors import NoSteps
from surefoot.segmentation import split_solution
from surefoot.training.calculator import NUMBER, number_value
from surefoot.training.labelled_row import Label, LabelledRow, labels_to
from surefoot.training.phrasing import CONCLUSIONS, plain_number
from surefoot.training.worked_solution import final_answer_of, without_annotations

_STATED = re.compile(r"(?:####|A:)\s*(?P<answer>\S.*)")
_RESULT = re.compile(rf"=\s*[$€£]?(?P<number>{NUMBER})")


@dataclass(frozen=True, slots=True)
class SampledSolutions:
    """A problem's right answer and the solutions of it, by the name of who wrote them.

    `reference` holds the results of the right solution, where that is known. `only_way` says to take it for the only
    right way: in a solution with a wrong answer, a step that comes to anything else is wrong then.
    """

    problem: str
    answer: str
    solutions: tuple[tuple[str, str], ...]
    reference: frozenset[Fraction] = frozenset()
    only_way: bool = False


def sampled_solutions(row: Mapping[str, Any]) -> SampledSolutions:
    """The solutions of a row. Raises `ValueError`, which names the field and holds nothing of what is in it."""
    if "ground_truth" in row:
        return _of_systems(row)
    problem, answer = _problem_and_answer(row)
    solutions = row.get("solutions")
    if not isinstance(solutions, list) or not solutions or not all(isinstance(text, str) for text in solutions):
        raise ValueError("solutions must be a list of texts, one at least")
    return SampledSolutions(problem, answer, tuple((f"{index}", text) for index, text in enumerate(solutions)))


def posed_problem(row: Mapping[str, Any]) -> SampledSolutions:
    """The problem of a row and its right answer, without solutions: `{"problem", "answer"}`, or GSM8K's rows, which
    give the `reference` too. Raises `ValueError` as `sampled_solutions` does."""
    if "question" in row:
        return _worked(row, "ground_truth" if "ground_truth" in row else "answer")
    return SampledSolutions(*_problem_and_answer(row), ())


def rows_of(sampled: SampledSolutions, judge: EquivalenceJudge, source: str, number: int) -> Iterator[LabelledRow]:
    """A row for each solution that has steps; `number` is that of the line, for the ids."""
    for name, text in sampled.solutions:
        try:
            steps = steps_of(text)
        except NoSteps:
            continue
        is_correct = has_right_answer(steps, sampled.answer, judge)
        if sampled.only_way and sampled.reference and not is_correct:
            labels = labels_by_reference(steps, sampled.reference)
        else:
            labels = certain_labels(steps, sampled.reference, is_correct=is_correct)
        yield LabelledRow(
            sampled.problem,
            steps,
            labels,
            answer=sampled.answer,
            is_correct=is_correct,
            source=source,
            family="sampled",
            id=f"{source}:{number}:{name}",
        )


def steps_of(text: str) -> tuple[str, ...]:
    """The lines of a solution without annotations; a last line `#### x` or `A: x` in words. Raises `NoSteps`."""
    steps = [step.text for step in split_solution(without_annotations(text), "newline").steps]
    stated = _STATED.fullmatch(steps[-1])
    if stated is not None:
        final = final_answer_of(steps[-1])
        steps[-1] = CONCLUSIONS[0].format(answer=stated["answer"] if final is None else plain_number(final))
    return tuple(steps)


def has_right_answer(steps: tuple[str, ...], right: str, judge: EquivalenceJudge) -> bool:
    """Whether a solution ends with the right answer, looked for in its last step first."""
    return is_right_answer(extract_answer(steps[-1]) or extract_answer("\n".join(steps)), right, judge)


def is_right_answer(answer: str | None, right: str, judge: EquivalenceJudge) -> bool:
    """Whether an answer is equivalent to the right one; no answer is a wrong one."""
    if answer is None:
        return False
    first, second = group_answers([right, answer], judge)
    return first == second


def certain_labels(
    steps: tuple[str, ...], reference: frozenset[Fraction], *, is_correct: bool
) -> tuple[Label | None, ...]:
    """Labels where they are certain, else none at all: the row then has its outcome only.

    A right answer whose equations all hold makes every step right. In a solution with a wrong answer the first equation
    that does not hold is the first error if every step before it comes to a result of the `reference`: any other step
    might be wrong without a wrong equation.
    """
    unknown: tuple[Label | None, ...] = (None,) * len(steps)
    wrong = next((index for index, step in enumerate(steps) if check_arithmetic(step).verdict == "fail"), None)
    if is_correct:
        return labels_to(None, len(steps)) if wrong is None else unknown
    if wrong is None or not all(_is_supported(step, reference) for step in steps[:wrong]):
        return unknown
    return labels_to(wrong, len(steps))


def labels_by_reference(steps: tuple[str, ...], reference: frozenset[Fraction]) -> tuple[Label | None, ...]:
    """Labels of a solution with a wrong answer, the right way to which is taken for the only one.

    The first step with a false equation, or with a result that is none of the `reference`, is the first error; where
    there is none, the conclusion is. No labels where a step before it has no result.
    """
    for index, step in enumerate(steps[:-1]):
        results = _results(step)
        if check_arithmetic(step).verdict == "fail" or not results <= reference:
            return labels_to(index, len(steps))
        if not results:
            return (None,) * len(steps)
    return labels_to(len(steps) - 1, len(steps))


def results_of(solution: str) -> frozenset[Fraction]:
    """What the equations of a right solution come to, annotations left out."""
    return _results(without_annotations(solution))


def _is_supported(step: str, reference: frozenset[Fraction]) -> bool:
    results = _results(step)
    return bool(results) and results <= reference


def _results(text: str) -> frozenset[Fraction]:
    return frozenset(number_value(found["number"]) for found in _RESULT.finditer(text))


def _problem_and_answer(row: Mapping[str, Any]) -> tuple[str, str]:
    problem, answer = row.get("problem"), row.get("answer")
    if not isinstance(problem, str) or not problem.strip():
        raise ValueError("problem must be a text that is not blank")
    if not isinstance(answer, str) or not answer.strip():
        raise ValueError("answer must be a text that is not blank")
    return problem, answer


def _worked(row: Mapping[str, Any], solution_field: str) -> SampledSolutions:
    """Problem, answer and reference of a question whose right solution is in `solution_field`."""
    problem, truth = row.get("question"), row.get(solution_field)
    if not isinstance(problem, str) or not problem.strip():
        raise ValueError("question must be a text that is not blank")
    last = truth.strip().splitlines()[-1:] if isinstance(truth, str) else []
    answer = final_answer_of(last[0]) if last else None
    if answer is None or not isinstance(truth, str):
        raise ValueError(f"{solution_field} must end with a line `A: x` or `#### x`, x a number")
    return SampledSolutions(problem, plain_number(answer), (), results_of(truth))


def _of_systems(row: Mapping[str, Any]) -> SampledSolutions:
    posed = _worked(row, "ground_truth")
    systems = {name: entry for name, entry in row.items() if isinstance(entry, Mapping) and "solution" in entry}
    if not systems or not all(isinstance(entry["solution"], str) for entry in systems.values()):
        raise ValueError('the row must hold systems, {"is_correct", "solution"} by name')
    return replace(posed, solutions=tuple((name, entry["solution"]) for name, entry in systems.items()))

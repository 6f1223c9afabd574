"""A changed solution worked on to its end: every later number that came from a changed one follows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from surefoot.checks.arithmetic import check_arithmetic
from surefoot.training.calculator import Expression, evaluate
from surefoot.training.slips import is_readable_instead, num_decimals
from surefoot.training.worked_solution import Calculation, Number, Part, WorkedSolution, WorkedStep

Place = tuple[int, int]
"""Index of a step, and within it of a part or of a calculation."""

_CONSTANTS = frozenset(map(Fraction, (1, 2, 4, 7, 10, 12, 24, 30, 52, 60, 100, 365, 1000)))


@dataclass(frozen=True, slots=True)
class Change:
    """What is wrong from step `first` on; the rest follows from it.

    `parts` replaces single numbers and operators of the text; `expressions` and `values` replace what a calculation
    works out and what it is said to give; `renamed` are numbers of the problem that are taken for others from `first`
    on; `dropped` is a step that is left out, `answer` a final answer that is stated whatever came before.
    """

    first: int
    parts: Mapping[Place, Fraction | str] = field(default_factory=dict)
    expressions: Mapping[Place, Expression] = field(default_factory=dict)
    values: Mapping[Place, Fraction] = field(default_factory=dict)
    renamed: Mapping[Fraction, Fraction] = field(default_factory=dict)
    dropped: int | None = None
    answer: Fraction | None = None


class NotCarried(ValueError):
    """The change cannot be followed with certainty, or gives numbers that nobody would write."""


def may_be_meant_otherwise(value: Fraction, solution: WorkedSolution) -> bool:
    """Whether a later number of this value need not be the one that was calculated."""
    return value in _CONSTANTS or value in solution.given


def carried(solution: WorkedSolution, change: Change) -> WorkedSolution:
    """The solution with the change in it, re-evaluated from step `first` on, and with its final answer.

    Numbers are followed by their value: one that equals a changed result is that result. Raises `NotCarried` where
    this is ambiguous, where a value is not readable (negative, or with more decimals than the one in its place), and
    where a later equation would be wrong by itself.
    """
    known = dict(change.renamed)
    steps: list[WorkedStep] = []
    for index, step in enumerate(solution.steps):
        if index == change.dropped:
            continue
        steps.append(step if index < change.first else _carried_step(solution, index, change, known))
    answer = known.get(solution.answer, solution.answer) if change.answer is None else change.answer
    later = [step for index, step in enumerate(solution.steps) if index > change.first]
    for step, before in zip(steps[len(steps) - len(later) :], later, strict=True):
        if step != before and check_arithmetic(step.text).verdict == "fail":
            raise NotCarried("a later equation would be wrong by itself")
    return replace(solution, steps=tuple(steps), answer=answer)


def _carried_step(solution: WorkedSolution, index: int, change: Change, known: dict[Fraction, Fraction]) -> WorkedStep:
    step = solution.steps[index]
    places = {calculation.result: place for place, calculation in enumerate(step.calculations)}
    parts: list[Part] = []
    calculations: list[Calculation] = []
    for place, part in enumerate(step.parts):
        number = places.get(place)
        if number is not None and isinstance(part, Number):
            calculations.append(_calculated(step.calculations[number], (index, number), change, known))
            if calculations[-1].value != part.value and any(_shows(earlier, part.value) for earlier in parts):
                raise NotCarried("the step says the value before it works it out")
            _learn(part.value, calculations[-1].value, solution, index, known)
            parts.append(_written(part, calculations[-1].value))
        elif (index, place) in change.parts:
            instead = change.parts[index, place]
            parts.append(instead if isinstance(instead, str) else _written(part, instead))
        elif isinstance(part, Number):
            parts.append(_written(part, known.get(part.value, part.value)))
        else:
            parts.append(part)
    return WorkedStep(tuple(parts), tuple(calculations))


def _calculated(
    calculation: Calculation, place: Place, change: Change, known: Mapping[Fraction, Fraction]
) -> Calculation:
    followed = tuple(
        known.get(token, token) if isinstance(token, Fraction) else token for token in calculation.expression
    )
    expression = change.expressions.get(place, followed)
    value = calculation.value
    if place in change.values:
        value = change.values[place]
    elif expression != calculation.expression:
        try:
            value = evaluate(expression)
        except ValueError as cause:
            raise NotCarried("a later step would divide by zero") from cause
        if not calculation.is_exact or not is_readable_instead(value, calculation.value):
            raise NotCarried("a value would not be readable")
    return replace(calculation, expression=expression, value=value)


def _learn(
    before: Fraction, after: Fraction, solution: WorkedSolution, index: int, known: dict[Fraction, Fraction]
) -> None:
    """Later numbers of value `before` are `after` now."""
    if before == after:
        known.pop(before, None)
        return
    if may_be_meant_otherwise(before, solution) and any(
        before in step.numbers() for step in solution.steps[index + 1 :]
    ):
        raise NotCarried("a later number may be another one of the same value")
    known[before] = after


def _shows(part: Part, value: Fraction) -> bool:
    return isinstance(part, Number) and part.value == value


def _written(part: Part, value: Fraction) -> Part:
    """The value in the way in which the number in its place is written."""
    if not isinstance(part, Number) or part.value == value:
        return part
    decimals = num_decimals(value)
    if decimals is None:
        raise NotCarried("a value would not be readable")
    shown = len(part.text.partition(".")[2])
    return Number(f"{float(value):{',' if ',' in part.text else ''}.{max(decimals, shown)}f}", value)

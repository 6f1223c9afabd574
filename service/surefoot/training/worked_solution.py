"""Solutions of GSM8K as structure: which numbers a step shows, and which of them it has calculated from which.

A row is `{"question", "answer"}`; the answer is one step a line with calculator annotations `<<48/2=24>>` before the
results that they explain, and ends with `#### x`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from surefoot.training.calculator import (
    NUMBER,
    OPERATOR_SIGNS,
    Expression,
    Token,
    evaluate,
    is_rounding_of,
    number_value,
    parse_expression,
)

_PIECE = re.compile(rf"<<(?P<note>[^<>]*)>>|(?P<number>(?<![A-Za-z0-9]){NUMBER})")
_NUMBER = re.compile(rf"(?<![A-Za-z0-9]){NUMBER}")
_FINAL = re.compile(rf"(?:####|A:)\s*[$€£]?(?P<sign>-?)[$€£]?(?P<number>{NUMBER})\s*[^\w]*$")
_BETWEEN_OPERANDS = re.compile(r"[\s$€£]*(?P<sign>\S)[\s$€£]*")
_ANNOTATION = re.compile(r"<<[^<>\n]*>>")


class UnsupportedSolution(ValueError):
    """A whole row whose solution cannot be followed: nothing is wrong with the file."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it stands in a step."""

    text: str
    value: Fraction


Part = str | Number


@dataclass(frozen=True, slots=True)
class Calculation:
    """One annotation of a step.

    `result` is the index of the part that shows the value. `shown` are the indices of the parts that show the operands,
    in the expression's order with one part of operator between neighbours; `None` where the step does not write it so.
    """

    expression: Expression
    value: Fraction
    result: int
    shown: tuple[int, ...] | None

    @property
    def is_exact(self) -> bool:
        """Whether the value is not rounded."""
        return evaluate(self.expression) == self.value


@dataclass(frozen=True, slots=True)
class WorkedStep:
    """A step's text in parts, and its calculations by rising `result`."""

    parts: tuple[Part, ...]
    calculations: tuple[Calculation, ...]

    @property
    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    def numbers(self) -> tuple[Fraction, ...]:
        """The values that the step shows, in order."""
        return tuple(part.value for part in self.parts if isinstance(part, Number))


@dataclass(frozen=True, slots=True)
class WorkedSolution:
    """A problem, the steps of its solution and the final answer; `given` are the numbers in the problem's text."""

    problem: str
    steps: tuple[WorkedStep, ...]
    answer: Fraction
    given: frozenset[Fraction]


def without_annotations(text: str) -> str:
    """The text as a person reads it."""
    return _ANNOTATION.sub("", text)


def final_answer_of(line: str) -> Fraction | None:
    """The number of a last line `#### x` or `A: x`; `None` for any other line."""
    found = _FINAL.match(line.strip())
    return None if found is None else number_value(found["number"]) * (-1 if found["sign"] else 1)


def worked_solution(row: Mapping[str, Any]) -> WorkedSolution:
    """The solution of a GSM8K row. Raises `ValueError`, which names the field and holds nothing of what is in it,
    and `UnsupportedSolution` for annotations that cannot be followed.
    """
    problem, answer = row.get("question"), row.get("answer")
    if not isinstance(problem, str) or not problem.strip():
        raise ValueError("question must be a text that is not blank")
    if not isinstance(answer, str):
        raise ValueError("answer must be a text")  # noqa: TRY004  one kind of error for all that a row can be
    *lines, last = [line.strip() for line in answer.strip().splitlines() if line.strip()] or [""]
    value = final_answer_of(last)
    if value is None:
        raise ValueError("answer must end with a line `#### x`, x a number")
    if not lines:
        raise ValueError("answer must have a step before its last line")
    steps = tuple(_step(line) for line in lines)
    return WorkedSolution(problem.strip(), steps, value, frozenset(map(number_value, _NUMBER.findall(problem))))


def _step(line: str) -> WorkedStep:
    parts: list[Part] = []
    notes: list[tuple[int, str]] = []
    position = 0
    for found in _PIECE.finditer(line):
        _add_text(parts, line[position : found.start()])
        position = found.end()
        if found["number"] is None:
            notes.append((len(parts), found["note"]))
        else:
            parts.append(Number(found["number"], number_value(found["number"])))
    _add_text(parts, line[position:])
    return WorkedStep(tuple(parts), tuple(_calculation(note, place, parts) for place, note in notes))


def _add_text(parts: list[Part], text: str) -> None:
    """Add a text; to the one before it, so that no two stand beside each other."""
    if text and parts and isinstance(parts[-1], str):
        parts[-1] += text
    elif text:
        parts.append(text)


def _calculation(note: str, place: int, parts: list[Part]) -> Calculation:
    left, _, right = note.partition("=")
    try:
        expression, value = parse_expression(left), evaluate(parse_expression(right))
        holds = is_rounding_of(value, evaluate(expression))
    except ValueError:
        raise UnsupportedSolution("an annotation is no equation of plain numbers") from None
    if not holds:
        raise UnsupportedSolution("an annotation does not hold")
    result = next((index for index in range(place, min(place + 2, len(parts))) if _shows(parts[index], value)), None)
    if result is None:
        raise UnsupportedSolution("an annotation is not followed by its result")
    return Calculation(expression, value, result, _shown(expression, parts[:result]))


def _shows(part: Part, value: Token) -> bool:
    return isinstance(part, Number) and part.value == value


def _shown(expression: Expression, before: list[Part]) -> tuple[int, ...] | None:
    """Where the operands stand: the last numbers before the result, if they are these with these signs between."""
    if "(" in expression or expression[0] == "-":
        return None
    operands, signs = expression[::2], expression[1::2]
    places = [index for index, part in enumerate(before) if isinstance(part, Number)][-len(operands) :]
    if len(places) < 2 or not all(_shows(before[place], value) for place, value in zip(places, operands, strict=False)):
        return None
    if any(later - earlier != 2 for earlier, later in pairwise(places)):
        return None
    for place, sign in zip(places, signs, strict=False):
        between = _BETWEEN_OPERANDS.fullmatch(str(before[place + 1]))
        if between is None or OPERATOR_SIGNS.get(between["sign"]) != sign:
            return None
    return tuple(places) if len(places) == len(operands) and _equals_follows(before[places[-1] + 1 :]) else None


def _equals_follows(parts: list[Part]) -> bool:
    return len(parts) == 1 and isinstance(parts[0], str) and parts[0].strip(" $€£") == "="

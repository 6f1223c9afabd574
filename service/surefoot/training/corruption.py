"""Solutions with one known first error, by families of how it comes about."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, get_args

from surefoot.training.calculator import Token
from surefoot.training.carrying import Change, NotCarried, carried, may_be_meant_otherwise
from surefoot.training.slips import Slip, is_readable_instead, misread, slipped
from surefoot.training.worked_solution import Calculation, Number, WorkedSolution

Family = Literal[
    "arithmetic_slip",
    "wrong_operand",
    "wrong_operation",
    "swapped_quantities",
    "dropped_step",
    "copied_number",
    "contradictory_conclusion",
]

_LONGER_REFUSED = 0.5
_ATTEMPTS = 16
"""Tries of one family at one solution; most places of a solution suit some family."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """A solution that is right before step `first_error` and wrong there; the answer is the step after the last."""

    family: Family
    solution: WorkedSolution
    first_error: int


def corrupted(solution: WorkedSolution, family: Family, rng: random.Random) -> Corruption | None:
    """The solution with an error of that family, carried through to a wrong answer; `None` if it has no place."""
    changes = FAMILIES[family]
    for _ in range(_ATTEMPTS):
        change = changes(solution, rng)
        if change is None:
            continue
        try:
            wrong = carried(solution, change)
        except NotCarried:
            continue
        first_error = change.first - (change.dropped is not None)
        if change.answer is None and _values(wrong, first_error) == _values(solution, change.first):
            continue  # 6 + 9 for 9 + 6 is no error
        # Errors make answers longer more often than shorter: left so, the length of an answer would tell.
        if len(str(int(wrong.answer))) > len(str(int(solution.answer))) and rng.random() < _LONGER_REFUSED:
            continue
        if wrong.answer != solution.answer and is_readable_instead(wrong.answer, solution.answer):
            return Corruption(family, wrong, first_error)
    return None


def corruptions(solution: WorkedSolution, count: int, rng: random.Random) -> Iterator[Corruption]:
    """At most `count` different ones, their families drawn by `WEIGHTS`."""
    if all(calculation.value != solution.answer for step in solution.steps for calculation in step.calculations):
        return  # nothing that goes wrong could be followed to the final answer
    seen: set[tuple[str, ...]] = set()
    for _ in range(3 * count):
        if len(seen) >= count:
            return
        for family in sorted(get_args(Family), key=lambda name: rng.random() ** (1 / WEIGHTS[name]), reverse=True):
            found = corrupted(solution, family, rng)
            if found is not None:
                key = (*(step.text for step in found.solution.steps), str(found.solution.answer))
                if key not in seen:
                    seen.add(key)
                    yield found
                break


def _arithmetic_slip(solution: WorkedSolution, rng: random.Random) -> Change | None:
    """A right expression with a wrong value."""
    place, calculation = _drawn_calculation(solution, rng)
    if not calculation.is_exact or len(calculation.expression) < 3:
        return None
    value = slipped(rng.choice(get_args(Slip)), calculation.value, calculation.expression, rng)
    return None if value is None else Change(place[0], values={place: value})


def _wrong_operand(solution: WorkedSolution, rng: random.Random) -> Change | None:
    """Another number of the problem in an operand's place."""
    place, calculation = _drawn_calculation(solution, rng)
    if calculation.shown is None or not _says_what_it_is(solution, place[0]):
        return None
    operands = calculation.expression[::2]
    which = rng.randrange(len(operands))
    others = sorted(solution.given - {calculation.value, *(each for each in operands if isinstance(each, Fraction))})
    if not others:
        return None
    instead = rng.choice(others)
    expression = _with_token(calculation, 2 * which, instead)
    return Change(place[0], parts={(place[0], calculation.shown[which]): instead}, expressions={place: expression})


def _wrong_operation(solution: WorkedSolution, rng: random.Random) -> Change | None:
    """Another operator between the same numbers."""
    place, calculation = _drawn_calculation(solution, rng)
    if calculation.shown is None or not _says_what_it_is(solution, place[0]):
        return None
    which = rng.randrange(len(calculation.shown) - 1)
    sign = str(calculation.expression[2 * which + 1])
    instead = rng.choice(_OTHER_SIGNS[sign])
    part = calculation.shown[which] + 1
    written = str(solution.steps[place[0]].parts[part])
    shown = "".join(instead if letter not in " $€£" else letter for letter in written)
    expression = _with_token(calculation, 2 * which + 1, instead)
    return Change(place[0], parts={(place[0], part): shown}, expressions={place: expression})


def _swapped_quantities(solution: WorkedSolution, rng: random.Random) -> Change | None:
    """Two numbers of the problem in each other's place from their first use on, or `a / b` for `b / a`."""
    place, calculation = _drawn_calculation(solution, rng)
    if calculation.shown is not None and len(calculation.shown) == 2 and calculation.expression[1] in ("-", "/"):
        left, sign, right = calculation.expression
        parts = dict(zip(((place[0], part) for part in calculation.shown), (right, left), strict=True))
        change = Change(place[0], parts=parts, expressions={place: (right, sign, left)})
        if isinstance(left, Fraction) and isinstance(right, Fraction) and left < right:
            return change
    used = sorted(_used_givens(solution))
    if len(used) < 2:
        return None
    one, other = rng.sample(used, 2)
    first = _first_use(solution, (one, other))
    return None if first is None else Change(first, renamed={one: other, other: one})


def _dropped_step(solution: WorkedSolution, rng: random.Random) -> Change | None:
    """A step left out; where its result was needed, a number that it started from is used as it is."""
    (dropped, _), calculation = _drawn_calculation(solution, rng)
    if len(solution.steps[dropped].calculations) > 1 or may_be_meant_otherwise(calculation.value, solution):
        return None
    first = _first_use(solution, (calculation.value,), dropped + 1)
    operands = [token for token in calculation.expression if isinstance(token, Fraction)]
    others = [token for token in operands if token != calculation.value]
    if first is None or not others or _is_said_before(solution, (dropped, 0), calculation):
        return None
    return Change(first, renamed={calculation.value: others[0]}, dropped=dropped)


def _copied_number(solution: WorkedSolution, rng: random.Random) -> Change | None:
    """A number of the problem read wrongly, the same way wherever it is used."""
    used = sorted(_used_givens(solution))
    if not used:
        return None
    given = rng.choice(used)
    instead = misread(given, rng)
    first = _first_use(solution, (given,))
    if instead is None or first is None or instead in solution.given:
        return None
    return Change(first, renamed={given: instead})


def _contradictory_conclusion(solution: WorkedSolution, rng: random.Random) -> Change | None:
    """A final answer that is not the last value: one from the way there, one of the problem, or a slip."""
    values = {calculation.value for step in solution.steps for calculation in step.calculations}
    nearby = slipped(rng.choice(get_args(Slip)), solution.answer, (solution.answer,), rng)
    choices = (sorted(values), sorted(solution.given), [] if nearby is None else [nearby])
    options = [value for value in rng.choice(choices) if value != solution.answer]
    return Change(len(solution.steps), answer=rng.choice(options)) if options else None


FAMILIES: Mapping[Family, Callable[[WorkedSolution, random.Random], Change | None]] = MappingProxyType(
    {
        "arithmetic_slip": _arithmetic_slip,
        "wrong_operand": _wrong_operand,
        "wrong_operation": _wrong_operation,
        "swapped_quantities": _swapped_quantities,
        "dropped_step": _dropped_step,
        "copied_number": _copied_number,
        "contradictory_conclusion": _contradictory_conclusion,
    }
)

WEIGHTS: Mapping[Family, int] = MappingProxyType(
    {
        "arithmetic_slip": 8,
        "wrong_operand": 6,
        "wrong_operation": 6,
        "swapped_quantities": 6,
        "dropped_step": 3,
        "copied_number": 6,
        "contradictory_conclusion": 1,
    }
)
"""How often a family is tried first: the errors of models are mostly of what is worked out and with what."""

_OTHER_SIGNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"+": ("-", "*"), "-": ("+",), "*": ("+", "/"), "/": ("*", "-")}
)


def _values(solution: WorkedSolution, index: int) -> list[Fraction]:
    return [calculation.value for calculation in solution.steps[index].calculations]


def _drawn_calculation(solution: WorkedSolution, rng: random.Random) -> tuple[tuple[int, int], Calculation]:
    places = [
        ((index, number), calculation)
        for index, step in enumerate(solution.steps)
        for number, calculation in enumerate(step.calculations)
    ]
    return rng.choice(places)


def _with_token(calculation: Calculation, place: int, token: Token) -> tuple[Token, ...]:
    return (*calculation.expression[:place], token, *calculation.expression[place + 1 :])


def _is_said_before(solution: WorkedSolution, place: tuple[int, int], calculation: Calculation) -> bool:
    """Whether the value stands in the step before it is worked out."""
    before = solution.steps[place[0]].parts[: calculation.result]
    return any(isinstance(part, Number) and part.value == calculation.value for part in before)


def _says_what_it_is(solution: WorkedSolution, index: int) -> bool:
    """Whether words say what the step works out; a bare equation might be the first half of another right way."""
    text = solution.steps[index].text
    return sum(word.isalpha() and len(word) > 1 for word in text.split()) >= 3


def _used_givens(solution: WorkedSolution) -> set[Fraction]:
    """Numbers of the problem that the solution calculates with, and that can be nothing else."""
    values = {calculation.value for step in solution.steps for calculation in step.calculations}
    used = {
        token
        for step in solution.steps
        for calculation in step.calculations
        if calculation.shown is not None
        for token in calculation.expression
        if isinstance(token, Fraction)
    }
    return {value for value in used & solution.given - values if value > 2 and value not in (24, 60, 100, 365)}


def _first_use(solution: WorkedSolution, values: tuple[Fraction, ...], start: int = 0) -> int | None:
    """The first step from `start` on that shows one of the values, if it also calculates with one."""
    for index, step in enumerate(solution.steps[start:], start):
        if set(values) & set(step.numbers()):
            calculates = any(set(values) & set(calculation.expression) for calculation in step.calculations)
            return index if calculates else None
    return None

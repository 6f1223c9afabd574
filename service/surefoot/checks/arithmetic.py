"""The arithmetic check: is every equation in a step true?"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from surefoot.checks.equations import MONEY, Equation, Side, find_equations
from surefoot.checks.expressions import Binary, value_of
from surefoot.checks.rounding import agrees, shown
from surefoot.verdicts import ArithmeticDetail, CheckVerdict, FailedEquation, StepCheck

_DIMENSIONS = (
    frozenset({"second", "minute", "hour", "day", "week", "month", "year", "decade"}),
    frozenset({"inch", "inche", "foot", "feet", "yard", "mile", "cm", "mm", "km", "meter", "centimeter", "kilometer"}),
    frozenset({"ounce", "pound", "ton", "gram", "kilogram", "kg", "mg", "milligram", "lb"}),
    frozenset({"cup", "pint", "quart", "gallon", "liter", "ml", "milliliter", "ounce", "teaspoon", "tablespoon"}),
    frozenset({MONEY, "cent", "penny", "pennie", "nickel", "dime", "quarter", "dollar"}),
)
"""Units that turn into each other; without the plural's s."""


def check_arithmetic(text: str) -> StepCheck:
    """The equations of one step. One that its wording leaves in doubt counts only where it holds.

    Exact rational arithmetic; rounded results, percentages, units and running totals ("2 + 3 = 5 + 1 = 6") are
    understood. Never raises, whatever the text; work is linear in it.
    """
    judged = [found for equation in find_equations(text) if (found := _judge(equation)) is not None]
    failed = tuple(found for found in judged if isinstance(found, FailedEquation))
    verdict: CheckVerdict = "fail" if failed else "pass" if judged else "nothing_to_check"
    return StepCheck("arithmetic", verdict, ArithmeticDetail(len(judged), failed))


def _judge(equation: Equation) -> FailedEquation | bool | None:
    """`True` where the equation holds, how it fails where it does, `None` where that cannot be said."""
    left, right = equation.left, equation.right
    # "13 = 5 + 7" states the 13.
    computed, stated = (right, left) if _is_literal(left) and not _is_literal(right) else (left, right)
    pairs = list(_readings(computed, stated))
    if not pairs or (_is_literal(computed) and (computed.words or stated.words)):
        return None
    if any(_agree(equation, computed, stated, *pair) for pair in pairs) or _runs_on(equation):
        return True
    if left.is_doubtful or right.is_doubtful or _converts_units(left, right):
        return None
    expected, found = pairs[0]
    return FailedEquation(equation.span, shown(expected), shown(found))


def _agree(equation: Equation, computed: Side, stated: Side, expected: Fraction, found: Fraction) -> bool:
    operands = computed.expression.numbers
    if _is_literal(stated):
        return agrees(
            expected,
            found,
            stated.expression.numbers[0].decimals,
            is_approximate=equation.is_approximate,
            operands=operands,
        )
    operands = (*operands, *stated.expression.numbers)
    return agrees(expected, found, 0, is_approximate=equation.is_approximate, operands=operands)


def _readings(computed: Side, stated: Side) -> Iterator[tuple[Fraction, Fraction]]:
    """The values of both sides, in each way in which percent signs and words of scale can be meant."""
    ways = (False, True) if _has_readings(computed) or _has_readings(stated) else (False,)
    for literally in ways:
        for stated_literally in ways:
            expected = value_of(computed.expression.node, literally=literally)
            found = value_of(stated.expression.node, literally=stated_literally)
            if expected is not None and found is not None:
                yield expected, found


def _has_readings(side: Side) -> bool:
    return side.expression.has_percent or any(number.scale > 1 for number in side.expression.numbers)


def _runs_on(equation: Equation) -> bool:
    """Whether the right side goes on from the value of the left: "2 + 3 = 5 + 1"."""
    left, right = equation.left.expression, equation.right.expression
    value = value_of(left.node)
    if value is None or right.is_literal:
        return False
    first = right.numbers[0]
    return agrees(value, first.value, first.decimals, is_approximate=equation.is_approximate, operands=left.numbers)


def _is_literal(side: Side) -> bool:
    return side.expression.is_literal


def _converts_units(left: Side, right: Side) -> bool:
    """Whether the sides may count in different units: "$1 / 2 = 50 cents", "4 feet + 6 inches = 54 inches"."""
    node = left.expression.node
    mixes = isinstance(node, Binary) and node.operator in "+-"
    for dimension in _DIMENSIONS:
        on_left, on_right = _units(left, dimension), _units(right, dimension)
        if (on_left and on_right - on_left) or (mixes and len(on_left) > 1):
            return True
    return False


def _units(side: Side, dimension: frozenset[str]) -> set[str]:
    return {word.removesuffix("s") for word in side.words} & dimension

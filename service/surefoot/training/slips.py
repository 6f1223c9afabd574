"""Wrong values as people and models get them: near the right one, and no stranger to look at."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Literal

from surefoot.training.calculator import Expression, evaluate

Slip = Literal["off_by_little", "digit_swap", "carry", "wrong_sign", "factor_of_ten"]

MAX_DECIMALS = 2
_REVERSED_SIGN: Mapping[str, str] = MappingProxyType({"+": "-", "-": "+"})


def num_decimals(value: Fraction) -> int | None:
    """How many decimals write the value exactly; `None` where more than `MAX_DECIMALS` would be needed."""
    return next((count for count in range(MAX_DECIMALS + 1) if (value * 10**count).denominator == 1), None)


def is_readable_instead(value: Fraction, original: Fraction) -> bool:
    """Whether a reader could take the value for the original by its looks: positive, with no more decimals, not of
    another order of magnitude altogether."""
    decimals, allowed = num_decimals(value), num_decimals(original)
    if decimals is None or value <= 0 or decimals > (allowed or 0):
        return False
    return original <= 0 or Fraction(1, 100) <= value / original <= 100


def misread(value: Fraction, rng: random.Random) -> Fraction | None:
    """A number of the problem as it is copied wrongly: a digit changed, two digits swapped; `None` if none is found."""
    slip = rng.choice((off_by_little, digit_swap))
    return _accepted(slip(value, (value,), rng), value)


def slipped(kind: Slip, value: Fraction, expression: Expression, rng: random.Random) -> Fraction | None:
    """A wrong value of the expression, whose right one is `value`; `None` where that slip gives no readable one."""
    return _accepted(SLIPS[kind](value, expression, rng), value)


def off_by_little(value: Fraction, expression: Expression, rng: random.Random) -> Fraction:  # noqa: ARG001
    """One or two away in the last place that is written, for larger numbers in the one before too."""
    unit = _unit(value)
    sizes = [1, 2] if abs(value / unit) < 30 else [1, 2, 3, 10]
    return value + unit * rng.choice(sizes) * rng.choice((-1, 1))


def digit_swap(value: Fraction, expression: Expression, rng: random.Random) -> Fraction | None:  # noqa: ARG001
    """Two neighbouring digits in each other's place."""
    unit = _unit(value)
    digits = str(abs(int(value / unit)))
    places = [
        place
        for place in range(len(digits) - 1)
        if digits[place] != digits[place + 1] and (place or digits[place + 1] != "0")
    ]
    if not places:
        return None
    place = rng.choice(places)
    swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    return Fraction(int(swapped)) * unit


def carry(value: Fraction, expression: Expression, rng: random.Random) -> Fraction | None:
    """A carry forgotten, or a borrowed ten; only for what is worked out column by column."""
    unit = _unit(value)
    size = abs(int(value / unit))
    if size < 20 or "/" in expression:
        return None
    columns: list[int] = [10 ** (place + 1) for place in range(len(str(size)) - 1)]
    return value + unit * (rng.choice(columns) if "-" in expression else -rng.choice(columns))


def wrong_sign(value: Fraction, expression: Expression, rng: random.Random) -> Fraction | None:  # noqa: ARG001
    """The value with one number added that was to be taken away, or the other way round."""
    places = [place for place, token in enumerate(expression) if isinstance(token, str) and token in _REVERSED_SIGN]
    places = [place for place in places if place > 0 and isinstance(expression[place - 1], Fraction)]
    if not places:
        return None
    place = rng.choice(places)
    changed = (*expression[:place], _REVERSED_SIGN[str(expression[place])], *expression[place + 1 :])
    return abs(evaluate(changed))


def factor_of_ten(value: Fraction, expression: Expression, rng: random.Random) -> Fraction | None:
    """A nought too many or too few; only for products and quotients."""
    if not {"*", "/"} & set(expression):
        return None
    return value * 10 if rng.random() < 0.5 else value / 10


SLIPS: Mapping[Slip, Callable[[Fraction, Expression, random.Random], Fraction | None]] = MappingProxyType(
    {
        "off_by_little": off_by_little,
        "digit_swap": digit_swap,
        "carry": carry,
        "wrong_sign": wrong_sign,
        "factor_of_ten": factor_of_ten,
    }
)


def _unit(value: Fraction) -> Fraction:
    """The last place that is written."""
    return Fraction(1, 10 ** (num_decimals(value) or 0))


def _accepted(wrong: Fraction | None, value: Fraction) -> Fraction | None:
    return wrong if wrong is not None and wrong != value and is_readable_instead(wrong, value) else None

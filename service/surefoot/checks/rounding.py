"""When a stated value agrees with a computed one: exactly, or as far as it was rounded."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from surefoot.checks.expressions import Number

_HALF = Fraction(1, 2)
_SHOWN_DECIMALS = 4
_MONEY_DECIMALS = 2
_THREE_DIGITS = 100
_MAX_DECIMALS = 9
"""Further digits are the noise of binary floating point."""


def agrees(
    computed: Fraction, stated: Fraction, decimals: int, *, is_approximate: bool, operands: Sequence[Number] = ()
) -> bool:
    """Whether `stated`, written with so many `decimals`, is `computed` or a rounding of it.

    Rounded to at least one decimal, half a unit of the last place is allowed; to two or more, the rest may have been
    cut off as well. To a whole number only what has no end as a decimal is rounded. Said to be approximate, half a
    unit of the last digit that is not zero is allowed. Where `operands` are finer than the stated value they may be
    rounded themselves, and half a unit of theirs, carried through, is allowed too.
    """
    difference = abs(computed - stated)
    if not difference:
        return True
    unit = Fraction(1, 10 ** min(decimals, _MAX_DECIMALS))
    if is_approximate:
        return difference <= _HALF * max(unit, _last_place(stated, decimals))
    if decimals >= _MONEY_DECIMALS and difference < unit:
        return True
    if (decimals or not _ends(computed)) and difference <= _HALF * unit:
        return True
    return difference <= _carried(computed, decimals, operands)


def shown(value: Fraction) -> str:
    """A value as people write it: exact where four decimals are enough, else rounded to four."""
    scaled = value * 10**_SHOWN_DECIMALS
    rounded = round(scaled)
    digits = f"{abs(rounded):0{_SHOWN_DECIMALS + 1}d}"
    whole, rest = digits[:-_SHOWN_DECIMALS], digits[-_SHOWN_DECIMALS:].rstrip("0")
    return ("-" if rounded < 0 else "") + whole + (f".{rest}" if rest else "")


def _carried(computed: Fraction, decimals: int, operands: Sequence[Number]) -> Fraction:
    finer = [number for number in operands if number.decimals > decimals and _may_be_rounded(number)]
    return abs(computed) * sum((_HALF / 10**number.decimals / number.value for number in finer), Fraction(0))


def _may_be_rounded(number: Number) -> bool:
    """Two decimals and three digits that count: 3.33, and not 0.25."""
    return number.decimals >= _MONEY_DECIMALS and number.value * 10**number.decimals >= _THREE_DIGITS


def _last_place(stated: Fraction, decimals: int) -> Fraction:
    """The value of the last digit that is not zero."""
    digits = str(abs(int(stated * 10**decimals)))
    return Fraction(10 ** (len(digits) - len(digits.rstrip("0"))), 10**decimals) if digits.strip("0") else Fraction(0)


def _ends(value: Fraction) -> bool:
    """Whether the value has finitely many decimals."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1

"""What counts as a rounding, at the edges."""

from fractions import Fraction

import pytest

from surefoot.checks.expressions import Number
from surefoot.checks.rounding import agrees, shown


@pytest.mark.parametrize(
    ("computed", "stated", "decimals", "expected"),
    [
        ("10/3", "3.3", 1, True),
        ("10/3", "3.4", 1, False),
        ("10/3", "3", 0, True),
        ("10/3", "4", 0, False),
        ("5/2", "3", 0, False),
        ("5/4", "1.3", 1, True),
        ("20/3", "6.6", 1, False),
        ("20/3", "6.66", 2, True),
        ("20/3", "6.65", 2, False),
        ("12", "13", 0, False),
    ],
)
def test_a_rounding_agrees(computed, stated, decimals, expected) -> None:
    assert agrees(Fraction(computed), Fraction(stated), decimals, is_approximate=False) is expected


@pytest.mark.parametrize(("stated", "expected"), [("1200", True), ("1240", False), ("1234", True), ("1000", True)])
def test_about_allows_half_a_unit_of_the_last_digit(stated, expected) -> None:
    assert agrees(Fraction(1234), Fraction(stated), 0, is_approximate=True) is expected


@pytest.mark.parametrize(
    ("operand", "decimals", "factor", "stated", "expected"),
    [("3.33", 2, 3, 10, True), ("3.3", 1, 3, 10, False), ("0.25", 2, 2, 1, False), ("3.33", 2, 3, 11, False)],
)
def test_the_rounding_of_an_operand_is_carried_through(operand, decimals, factor, stated, expected) -> None:
    number = Number(Fraction(operand), decimals)
    agreed = agrees(number.value * factor, Fraction(stated), 0, is_approximate=False, operands=[number])
    assert agreed is expected


@pytest.mark.parametrize(
    ("value", "text"), [("12", "12"), ("-1/4", "-0.25"), ("10/3", "3.3333"), ("1/100000", "0"), ("0", "0")]
)
def test_values_are_shown_as_people_write_them(value, text) -> None:
    assert shown(Fraction(value)) == text

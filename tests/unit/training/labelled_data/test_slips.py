"""Wrong values: always wrong, always readable."""

import random
from fractions import Fraction
from typing import get_args

import pytest

from surefoot.training.calculator import evaluate, parse_expression
from surefoot.training.slips import SLIPS, Slip, is_readable_instead, misread, num_decimals, slipped

EXPRESSIONS = ("48/2", "48+24", "130-45", "12*25", "2.5*4", "0.75*3", "17-3*4", "9", "1000-1")


def test_every_kind_has_its_function() -> None:
    assert set(SLIPS) == set(get_args(Slip))


@pytest.mark.parametrize("kind", get_args(Slip))
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_a_slip_is_wrong_and_readable(kind, text) -> None:
    expression = parse_expression(text)
    value = evaluate(expression)
    found = {slipped(kind, value, expression, random.Random(seed)) for seed in range(40)} - {None}
    assert all(wrong != value and is_readable_instead(wrong, value) for wrong in found)


KINDS = {
    "digit_swap": ("12*7", {Fraction(48)}),
    "carry": ("48+24", {Fraction(62)}),
    "wrong_sign": ("48-20", {Fraction(68)}),
    "factor_of_ten": ("12*5", {Fraction(600), Fraction(6)}),
}


@pytest.mark.parametrize(("kind", "text", "expected"), [(kind, *case) for kind, case in KINDS.items()], ids=KINDS)
def test_what_a_kind_gives(kind, text, expected) -> None:
    expression = parse_expression(text)
    found = {slipped(kind, evaluate(expression), expression, random.Random(seed)) for seed in range(40)}
    assert found == expected


@pytest.mark.parametrize(
    ("value", "original", "expected"),
    [
        ("12", "24", True),
        ("-12", "24", False),
        ("0", "24", False),
        ("12.5", "24", False),
        ("12.5", "2.5", True),
        ("1.25", "2.5", False),
        ("24000", "24", False),
    ],
)
def test_what_looks_like_the_original(value, original, expected) -> None:
    assert is_readable_instead(Fraction(value), Fraction(original)) is expected


def test_a_misread_number_is_another_one() -> None:
    assert Fraction(48) not in {misread(Fraction(48), random.Random(seed)) for seed in range(40)}


@pytest.mark.parametrize(("value", "expected"), [("3", 0), ("2.5", 1), ("0.25", 2), ("0.125", None), ("1/3", None)])
def test_num_decimals(value, expected) -> None:
    assert num_decimals(Fraction(value)) == expected

"""Expressions of annotations: exact values, and what is no expression."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.training.calculator import evaluate, is_rounding_of, parse_expression


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("48/2", 24),
        ("60-15-25", 20),
        ("2+3*4", 14),
        ("(2+3)*4", 20),
        ("12/4/3", 1),
        ("1,200+.5", Fraction(2401, 2)),
        ("-3+5", 2),
        ("2*(-3)", -6),
    ],
)
def test_values_are_exact(text, value) -> None:
    assert evaluate(parse_expression(text)) == value


@pytest.mark.parametrize(
    "text", ["", "1/0", "2+", "(2", "2)", "2 3", "x+1", "2**3", "__import__('os')", "1+" * 80 + "1"]
)
def test_anything_else_is_refused(text) -> None:
    with pytest.raises(ValueError, match=r"expression|zero"):
        evaluate(parse_expression(text))


@given(st.lists(st.tuples(st.sampled_from("+-*"), st.integers(0, 99)), max_size=6), st.integers(0, 99))
def test_integers_agree_with_python(rest, first) -> None:
    text = str(first) + "".join(f"{sign}{number}" for sign, number in rest)
    assert evaluate(parse_expression(text)) == eval(text)


@pytest.mark.parametrize(
    ("stated", "exact", "expected"),
    [
        ("3.33", Fraction(10, 3), True),
        ("3.34", Fraction(10, 3), True),
        ("3.4", Fraction(10, 3), True),
        ("3.5", Fraction(10, 3), False),
        ("33", Fraction(100, 3), True),
        ("1", Fraction(1, 2), False),
        ("24", Fraction(25), False),
    ],
)
def test_roundings(stated, exact, expected) -> None:
    assert is_rounding_of(Fraction(stated), exact) is expected

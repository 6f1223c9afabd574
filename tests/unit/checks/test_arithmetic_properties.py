"""Random equations in random dress, and texts that were made to hurt."""

import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.checks.arithmetic import check_arithmetic

SIGNS = {"+": ["+", " + "], "-": ["-", " - ", " − "], "*": ["*", " * ", " x ", " × ", r" \times "]}
FRAMES = ["{}", "So {} apples.", "She paid ${} in all.", "1. Then we get {}", "The total is {}, as asked.", r"\({}\)"]


def written(value: int, rng: random.Random) -> str:
    """The number with or without thousands separators and a currency sign."""
    digits = rng.choice([f"{value}", f"{value:,}"])
    return rng.choice(["", "", "$"]) + digits


def dressed(numbers: list[int], signs: list[str], shift: int, rng: random.Random) -> str | None:
    """An equation whose right side is `shift` off; `None` where its value would be negative."""
    value = eval("".join(f"{sign}{number}" for sign, number in zip(["", *signs], numbers, strict=True)))
    if value < 0:
        return None
    left = written(numbers[0], rng)
    for sign, number in zip(signs, numbers[1:], strict=True):
        left += rng.choice(SIGNS[sign]) + written(number, rng)
    right = written(value + shift, rng)
    return rng.choice(FRAMES).format(left + rng.choice(["=", " = "]) + right)


equations = st.integers(1, 3).flatmap(
    lambda count: st.tuples(
        st.lists(st.integers(1, 20_000), min_size=count + 1, max_size=count + 1),
        st.lists(st.sampled_from("+-*"), min_size=count, max_size=count),
        st.integers(0, 2**32),
    )
)


@given(equations)
def test_true_equations_pass_in_every_dress(drawn) -> None:
    numbers, signs, seed = drawn
    text = dressed(numbers, signs, 0, random.Random(seed))
    assert text is None or check_arithmetic(text).verdict == "pass", text


@given(equations, st.integers(1, 10_000))
def test_wrong_equations_fail_in_every_dress(drawn, shift) -> None:
    numbers, signs, seed = drawn
    text = dressed(numbers, signs, shift, random.Random(seed))
    assert text is None or check_arithmetic(text).verdict == "fail", text


@given(st.integers(1, 9_999), st.integers(1, 999), st.integers(1, 6))
def test_a_quotient_rounded_to_its_decimals_passes(top, bottom, decimals) -> None:
    assert check_arithmetic(f"{top}/{bottom} = {top / bottom:.{decimals}f}").verdict == "pass"


@given(st.text(alphabet=st.one_of(st.sampled_from("0123456789 =+-*/^().,%$xof\\{}\n½²≈"), st.characters())))
def test_no_text_raises(text) -> None:
    check_arithmetic(text)


@given(st.text(alphabet="0123456789 =+-*/^()"))
def test_spans_lie_in_the_text(text) -> None:
    for failed in check_arithmetic(text).detail.failed:
        assert "=" in text[slice(*failed.span)]


def num_calls(text: str) -> int:
    """Function calls, of Python and of C, that a check makes."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        check_arithmetic(text)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize(
    "unit",
    [
        "1+", "1 + 1 = 2 ", "(", "(1+", "((1)", "2^", "9", "9,", "-", "(-", "a ", "1 a ", "1/", "\\frac{", "=", "1=",
        "(1=", "x", "$", "1%", "of ", "1 of ", "1.1.", "1 apples / box * ", "½", "999999999999*", "\\", "**", "...",
    ],
)  # fmt: skip
def test_work_is_linear_in_the_text(unit) -> None:
    once, thrice = (num_calls("1" + unit * size + " = 3") for size in (1_000, 3_000))
    assert thrice <= 3.5 * once + 1_000

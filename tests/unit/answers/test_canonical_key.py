import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.answers.canonical import canonical_key, is_number_key

few_examples = settings(max_examples=100, deadline=None)
rationals = st.fractions(min_value=-1000, max_value=1000, max_denominator=500)


@pytest.mark.parametrize(
    "spellings",
    [
        [
            "1/2",
            "0.5",
            ".5",
            "0.50.",
            r"\frac{1}{2}",
            r"\frac12",
            r"\dfrac{1}{2}",
            r"\tfrac 1 2",
            "$1/2$",
            "-\\frac{-1}{2}",
        ],
        [
            "1234",
            "1,234",
            "1{,}234",
            r"1,\!234",
            r"1\,234",
            "$1,234$",
            r"\$1234",
            "1234.0",
            "+1234",
            r"1234\text{ cm}^2",
        ],
        ["50%", "50\\%", "50.0 %", r"\frac{100}{2}%"],
        ["-3/4", "3/-4", "−0.75", r"-\frac{3}{4}", r"\frac{-3}{4}", r"\(-\frac34\)"],
        ["0", "-0", "0.0", "0/5"],
        ["1000", "1e3", "1.0E+3"],
        ["5", r"5\text{ cm}", r"5 \mathrm{kg}", "5^\\circ", "5^{\\circ}", "5°"],
        ["(1,2)", "(1, 2)", r"\left( 1,\, 2 \right)", r"\bigl(1,2\bigr)"],
        ["yes", r"\text{yes}", r"\textbf{ yes }.", "$\\mathrm{yes}$"],
        ["x+1", "x + 1", " $x+1$. ", r"\displaystyle x+1", r"\[x+1\]"],
        [r"2\pi", "2π", r"2 \pi"],
    ],
)
def test_spellings_of_one_answer_share_a_key(spellings):
    assert len({canonical_key(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("50%", "0.5"),
        ("50%", "50"),
        (r"50\text{ percent}", "50"),
        (r"5\text{ million}", "5"),
        ("1 1/2", "11/2"),
        ("1 2", "12"),
        ("1/3", "0.3333333333333333"),
        ("1", "-1"),
        ("x", "X"),
        (r"\text{A}\text{B}", r"\text{A}"),
        (r"25\text{ or }30", "25"),
        (r"\frac{1}{23}", r"\frac{12}{3}"),
        (r"x \leftarrow 1", "x 1"),
    ],
)
def test_different_answers_have_different_keys(first, second):
    assert canonical_key(first) != canonical_key(second)


@few_examples
@given(rationals)
def test_key_of_a_rational_is_its_exact_fraction(value):
    sign, top, bottom = "-" if value < 0 else "", abs(value.numerator), value.denominator
    spellings = [
        f"{value.numerator}/{bottom}",
        rf"{sign}\frac{{{top}}}{{{bottom}}}",
        rf"\dfrac{{{value.numerator}}}{{{bottom}}}",
    ]
    assert {canonical_key(spelling) for spelling in spellings} == {str(value)}


@few_examples
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6))
def test_key_of_a_decimal_is_its_exact_fraction(value):
    assert canonical_key(f"{value:f}") == str(Fraction(value))


@few_examples
@given(st.integers())
def test_thousands_separators_do_not_matter(value):
    assert canonical_key(f"{value:,}") == canonical_key(str(value)) == str(value)


@few_examples
@given(rationals)
def test_keys_of_rationals_are_known_as_numbers(value):
    assert is_number_key(canonical_key(str(value)))


@pytest.mark.parametrize("answer", ["x", "(1,2)", "1 1/2", "1e999999", r"\frac{1}{0}", r"\sqrt{2}", ""])
def test_other_keys_are_no_numbers(answer):
    assert not is_number_key(canonical_key(answer))


@few_examples
@given(st.text() | st.text("0123456789.,/%$\\{}-+e ", max_size=30))
def test_any_text_has_a_stable_key(text):
    assert canonical_key(text) == canonical_key(f" {text} ")


@pytest.mark.parametrize(
    "answer",
    [
        "9" * 10**6,
        "1e999999",
        "1e-999999",
        "1e" + "9" * 10**6,
        "1/1e999999",
        "9" * 399 + "e400",
        r"\frac{1e400}{1e-400}",
    ],
)
def test_huge_numbers_are_not_slow(answer):
    started_s = time.process_time()
    canonical_key(answer)
    assert time.process_time() - started_s < 1


@pytest.mark.parametrize(
    "unit",
    [
        "{",
        "}",
        "\\text{",
        "1\\text{",
        " ",
        "5 ",
        "$",
        "-",
        "1,234",
        ",234",
        "\\frac",
        "\\,5",
        "\\",
        "\\left",
        "}\\text{a",
    ],
)
def test_time_is_linear_in_the_answer(unit):
    answer = "1" + unit * (200_000 // len(unit))
    started_s = time.process_time()
    canonical_key(answer)
    assert time.process_time() - started_s < 2  # quadratic time would take minutes

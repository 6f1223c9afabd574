"""Surface forms of equations: what is true passes, what is false fails, what words leave open is not judged."""

import pytest

from surefoot.checks.arithmetic import check_arithmetic


def verdict(text: str) -> str:
    return check_arithmetic(text).verdict


@pytest.mark.parametrize(
    "text",
    [
        "Natalia sold 48/2 = 24 clips in May.",
        "Weng earns 12/60 = $0.2 per minute.",
        "3 * 4 = 12 apples",
        "There are 5 boxes * 12 pens/box = 60 pens.",
        "$12/hour x 3 hours = $36",
        "The house is worth 80,000 + 50,000=$130,000 now.",
        "7 − 9 = −2 and 6 ÷ 2 = 3 and 2×3 = 6",
        "So 150% * 20 = 30, and 10% of 50 = 5.",
        "100% - 20% = 80%",
        "(5/20) * 100 = 25%",
        "1/2 of 12 = 6",
        "2 1/2 * 4 = 10, as is 2½ * 4 = 10",
        "3/4 = 0.75",
        "2(3 + 4) = 14 = (2)(7)",
        "2 + 3 = 5 + 1 = 6",
        "8 * 60 = 480 = 2 * 240",
        "10/3 = 3.33, 20/3 = 6.66, 20/3 = 6.67 and 200/3 = 67",
        "3.33 * 3 = 10",
        "2000 / 75 = 26.666666666666668",
        "1234 + 1 ≈ 1200",
        "10 / 4 = about 3",
        "2^10 = 1024 and 3² + 4² = 5²",
        r"\( \frac{1}{2} \times 10 = 5 \) and $3 \cdot 4 = \boxed{12}$",
        "**Step 1:** 3 + 4 = **7**",
        "- 3 * 2 = 6",
        "13 = 5 + 8",
        "5 million + 3 million = 8 million and 2 dozen + 1 = 25",
        "5 times 3 equals 15, 5 plus 3 equals 8 and 8 divided by 2 equals 4",
        "3/ 1/4 = 12",
        "-3 + 5 = 2",
    ],
)
def test_a_true_equation_passes(text) -> None:
    assert verdict(text) == "pass"


@pytest.mark.parametrize(
    ("text", "equation", "expected", "found"),
    [
        ("She has 5 + 7 = 13 apples.", "5 + 7 = 13", "12", "13"),
        ("Oliver has a total of $40+$50 = $89.", "$40+$50 = $89", "90", "89"),
        ("6 cans * 12 oz/can = 73 oz", "6 cans * 12 oz/can = 73", "72", "73"),
        ("1,000 * 2 = 3,000", "1,000 * 2 = 3,000", "2000", "3000"),
        ("10% of 50 = 6", "10% of 50 = 6", "5", "6"),
        ("10/3 = 3.4", "10/3 = 3.4", "3.3333", "3.4"),
        ("5/2 = 3", "5/2 = 3", "2.5", "3"),
        ("13 = 5 + 7", "13 = 5 + 7", "12", "13"),
        ("2 + 3 = 5 + 1 = 7", "5 + 1 = 7", "6", "7"),
        ("4 − 6 = 2", "4 − 6 = 2", "-2", "2"),
        (r"so $3 \times 4 = 13$", r"$3 \times 4 = 13", "12", "13"),
        ("é🙂 6 * 7 = 43", "6 * 7 = 43", "42", "43"),
        ("36 / .25 = 146", "36 / .25 = 146", "144", "146"),
    ],
)
def test_a_false_equation_is_shown_in_its_place(text, equation, expected, found) -> None:
    [failed] = check_arithmetic(text).detail.failed
    assert (text[slice(*failed.span)], failed.expected, failed.found) == (equation, expected, found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "There is no equation here, only 3 apples and 4 pears.",
        "x = 5",
        "2x + 3 = 9",
        "3A + 7 = 19",
        "3 + 4 = 5 + y",
        "f(3) = 10",
        "1 hour = 60 minutes",
        "On day 1 = 3 * 5 pages",
        "$1 / 2 = 50 cents",
        "4 pounds - 6 ounces = 58 ounces",
        "8 + 6 = 2 pm",
        "17 / 5 = 3 remainder 2",
        "17 / 3 = 5 and 2/3",
        "half of 20 + 5 = 15",
        "Tom + 3 * 2 = 10",
        "√(144) = 12 * 1",
        "3 + 4 >= 8",
        "1 / 0 = 7",
        "2^999999999 = 7",
        "0900-0130 = 0730",
        "9:30 + 2 = 11",
        "1,2 + 3,4 = 5",
        "50/ 1/2 = 101",
    ],
)
def test_what_words_leave_open_is_not_judged(text) -> None:
    assert verdict(text) == "nothing_to_check"


def test_every_link_of_a_chain_is_an_equation() -> None:
    assert check_arithmetic("24 / 2 = 6 * 2 = 12, and 1 + 1 = 2").detail.num_equations == 3


def test_one_false_equation_fails_a_step_of_true_ones() -> None:
    found = check_arithmetic("1 + 1 = 2, 2 + 2 = 5, 3 + 3 = 6")
    assert (found.verdict, found.detail.num_equations, len(found.detail.failed)) == ("fail", 3, 1)

"""Phrasings: many ways of writing, one meaning."""

import random
from fractions import Fraction

import pytest

from surefoot.answers import extract_answer
from surefoot.checks.arithmetic import check_arithmetic
from surefoot.training.phrasing import CALCULATIONS, CONCLUSIONS, Style, drawn_style, phrased, plain_number
from surefoot.training.worked_solution import worked_solution


def lines(solution, **style) -> tuple[str, ...]:
    return phrased(solution, Style(**style), random.Random(1))


def test_nothing_changes_by_default(clips) -> None:
    assert lines(clips) == (
        "Natalia sold 58/2 = 29 clips in May.",
        "Natalia sold 58+29 = 87 clips altogether in April and May.",
        "The answer is 87.",
    )


STYLES = {
    "tight": ({"spacing": "tight"}, "Natalia sold 58/2=29 clips in May."),
    "spaced": ({"spacing": "spaced"}, "Natalia sold 58 / 2 = 29 clips in May."),
    "numbered": ({"numbering": "{index}. "}, "1. Natalia sold 58/2 = 29 clips in May."),
    "without full stops": ({"full_stops": False}, "Natalia sold 58/2 = 29 clips in May"),
}


@pytest.mark.parametrize(("style", "expected"), STYLES.values(), ids=STYLES)
def test_a_style_is_seen(clips, style, expected) -> None:
    assert lines(clips, **style)[0] == expected


def test_calculations_stand_alone_with_their_unit(clips) -> None:
    assert drawn_style(random.Random(1), wording="calculations") == CALCULATIONS
    assert phrased(clips, CALCULATIONS, random.Random(1)) == (
        "58 / 2 = 29 clips in May.",
        "58 + 29 = 87 clips altogether in April and May.",
        "The answer is 87.",
    )


def test_a_step_whose_calculation_is_not_written_out_keeps_its_words(money) -> None:
    assert lines(money, calculation_first=True) == ("1,200*$3=$3,600 here", "They cost $5", "The answer is 5.")


def test_the_conclusion_of_calculations_can_be_fixed() -> None:
    assert drawn_style(random.Random(1), "#### {answer}", "calculations").conclusion == "#### {answer}"


@pytest.fixture
def money():
    return worked_solution(
        {"question": "Bob buys?", "answer": "The pens cost 1,200*$3=$<<1200*3=3600>>3,600 here\nThey cost $5\n#### 5"}
    )


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ({"times": "x"}, "The pens cost 1,200 x $3=$3,600 here"),
        ({"times": "×"}, "The pens cost 1,200×$3=$3,600 here"),
        ({"thousands": False}, "The pens cost 1200*$3=$3600 here"),
        ({"currency": False}, "The pens cost 1,200*3=3,600 here"),
    ],
)
def test_signs_are_written_in_several_ways(money, style, expected) -> None:
    assert lines(money, **style)[0] == expected


def test_a_connective_makes_a_common_word_small(money) -> None:
    assert lines(money, connectives=1.0)[1].split(" ", 1)[1].startswith("they cost")


def test_a_connective_leaves_a_name_as_it_is(clips) -> None:
    assert "Natalia sold 58+29" in lines(clips, connectives=1.0)[1]
    assert not lines(clips, connectives=1.0)[1].startswith("Natalia")


@pytest.mark.parametrize("conclusion", CONCLUSIONS)
def test_the_answer_is_found_in_every_conclusion(conclusion) -> None:
    assert extract_answer("Step 1 = 5\n" + conclusion.format(answer="72.5")) == "72.5"


def test_no_phrasing_changes_a_value(worked) -> None:
    for number, solution in enumerate(worked):
        rng = random.Random(number)
        steps = phrased(solution, drawn_style(rng), rng)
        assert extract_answer("\n".join(steps)) == plain_number(solution.answer)
        assert {check_arithmetic(step).verdict for step in steps[:-1]} == {"pass"}


def test_styles_are_many(clips) -> None:
    written = {phrased(clips, drawn_style(rng), rng) for rng in map(random.Random, range(50))}
    assert len(written) > 30


@pytest.mark.parametrize(("value", "text"), [("72", "72"), ("2.50", "2.5"), ("0.125", "0.125"), ("-3", "-3")])
def test_plain_numbers(value, text) -> None:
    assert plain_number(Fraction(value)) == text

"""GSM8K rows as structure: what is calculated from what, and which rows are refused."""

from fractions import Fraction

import pytest

from surefoot.training.worked_solution import UnsupportedSolution, final_answer_of, worked_solution


def step_of(line: str):
    return worked_solution({"question": "q", "answer": f"{line}\n#### 1"}).steps[0]


def test_annotations_are_not_in_the_text(clips) -> None:
    assert clips.steps[0].text == "Natalia sold 58/2 = 29 clips in May."


def test_the_answer_and_the_given_numbers_are_known(clips) -> None:
    assert (clips.answer, clips.given) == (87, {58})


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a 3 x $4 = $<<3*4=12>>12", True),
        ("1,200 - 200 = <<1200-200=1000>>1,000", True),
        ("half of 24 is <<24/2=12>>12", False),
        ("3 boxes * 4 = <<3*4=12>>12", False),
        ("(2+2)*3=<<(2+2)*3=12>>12", False),
    ],
)
def test_operands_are_shown_where_the_step_writes_them(line, shown) -> None:
    assert (step_of(line).calculations[0].shown is not None) is shown


def test_a_chain_has_two_calculations() -> None:
    values = [calculation.value for calculation in step_of("2*3=<<2*3=6>>6+4=<<6+4=10>>10").calculations]
    assert values == [6, 10]


BAD_ROWS = {
    "no question": ({"answer": "1\n#### 1"}, "question"),
    "a blank question": ({"question": " ", "answer": "1\n#### 1"}, "question"),
    "no answer": ({"question": "SECRET"}, "answer"),
    "no last line": ({"question": "q", "answer": "SECRET"}, "####"),
    "only a last line": ({"question": "q", "answer": "#### 3"}, "a step"),
    "an answer in words": ({"question": "q", "answer": "a\n#### SECRET"}, "####"),
}


@pytest.mark.parametrize(("row", "said"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_refused_without_its_text(row, said) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        worked_solution(row)
    assert "SECRET" not in str(refused.value)
    assert not isinstance(refused.value, UnsupportedSolution)


@pytest.mark.parametrize("line", ["<<2*3=7>>7", "<<x+1=2>>2", "<<2//1=2>>2", "<<2*3=6>> six", "<<2*3>>6", "<<1/0=1>>1"])
def test_annotations_that_cannot_be_followed_are_told_apart(line) -> None:
    with pytest.raises(UnsupportedSolution):
        step_of(line)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("#### 72", 72),
        ("A: 1,200", 1200),
        ("#### $5.50", Fraction(11, 2)),
        ("#### -3", -3),
        ("72", None),
        ("A: b", None),
    ],
)
def test_final_lines(line, value) -> None:
    assert final_answer_of(line) == value

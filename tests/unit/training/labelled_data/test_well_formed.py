"""The form of a solution: one step a line, a final answer in the last one, and an end of its own."""

import pytest

from surefoot.training.well_formed import is_well_formed

GOOD = "3 boxes hold 3 * 12 = 36 pens.\nThe answer is 36."


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"{GOOD}\n",
        "2 + 3 = 5\n#### 5",
        "So 2 + 3 = 5.\n\\boxed{5}",
        "Very very very very good.\nThe answer is 5.",
    ],
)
def test_steps_on_lines_and_an_answer_are_well_formed(text: str) -> None:
    assert is_well_formed(text, ended=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The answer is 36.",
        "3 * 12 = 36\n\nThe answer is 36.",
        "3 * 12 = 36\n---\nThe answer is 36.",
        "3 * 12 = 36\n3 * 12 = 36\nThe answer is 36.",
        "no no no no no\nThe answer is 36.",
        "3 * 12 = 36\nThat is all.",
    ],
)
def test_what_lacks_the_form_is_not(text: str) -> None:
    assert not is_well_formed(text, ended=True)


def test_what_was_cut_is_not() -> None:
    assert not is_well_formed(GOOD, ended=False)

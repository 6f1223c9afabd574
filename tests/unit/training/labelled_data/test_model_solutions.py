"""Solutions by models: their outcome, and labels only where they are certain."""

from dataclasses import replace
from fractions import Fraction

import pytest

from surefoot.errors import NoSteps
from surefoot.training.model_solutions import (
    certain_labels,
    is_right_answer,
    labels_by_reference,
    posed_problem,
    rows_of,
    sampled_solutions,
    steps_of,
)
from surefoot.wiring.fake_service import KeysOnly

SYSTEMS = {
    "question": "How many?",
    "ground_truth": "3 + 4 = <<3+4=7>>7\n7 * 2 = <<7*2=14>>14\nA: 14",
    "small": {"is_correct": False, "solution": "3 + 4 = <<3+4=7>>7\n7 * 2 = <<7*2=15>>15\nA: 15"},
    "large": {"is_correct": True, "solution": "There are 7 * 2 = <<7*2=14>>14\nA: 14"},
}
POSED = {"question": "How many?", "answer": "3 + 4 = <<3+4=7>>7\n7 * 2 = <<7*2=14>>14\n#### 14"}


def test_systems_are_labelled_by_their_answers() -> None:
    rows = list(rows_of(sampled_solutions(SYSTEMS), KeysOnly(), "four", 3))
    assert [(row.id, row.is_correct, row.labels) for row in rows] == [
        ("four:3:small", False, (1, -1, None)),
        ("four:3:large", True, (1, 1)),
    ]


def test_lists_of_solutions_are_read() -> None:
    row = {"problem": "How many?", "solutions": ["3 + 4 = 7\nThe answer is 7.", "It is 8"], "answer": "7"}
    rows = list(rows_of(sampled_solutions(row), KeysOnly(), "pool", 1))
    assert [(row.is_correct, row.is_judged) for row in rows] == [(True, True), (False, False)]


def test_annotations_and_the_last_line_become_words() -> None:
    assert steps_of("a 3+4=<<3+4=7>>7\n\nA: 1,007") == ("a 3+4=7", "The answer is 1007.")


def test_a_solution_without_text_has_no_steps() -> None:
    with pytest.raises(NoSteps):
        steps_of(" \n ")


CERTAIN = {
    "right, and all equations hold": (("2 + 3 = 5", "so 5"), True, (1, 1)),
    "right in spite of a wrong equation": (("2 + 3 = 6", "so 5"), True, (None, None)),
    "wrong in the first step": (("2 + 3 = 6", "so 6"), False, (-1, None)),
    "wrong after a known result": (("2 + 3 = 5", "5 * 2 = 11"), False, (1, -1)),
    "wrong after an unknown result": (("2 + 4 = 6", "6 * 2 = 11"), False, (None, None)),
    "wrong after a step without a result": (("Let us see.", "6 * 2 = 11"), False, (None, None)),
    "wrong without a wrong equation": (("2 + 4 = 6", "so 6"), False, (None, None)),
}


@pytest.mark.parametrize(("steps", "is_correct", "expected"), CERTAIN.values(), ids=CERTAIN)
def test_labels_are_given_only_where_they_are_certain(steps, is_correct, expected) -> None:
    assert certain_labels(steps, frozenset({Fraction(5), Fraction(10)}), is_correct=is_correct) == expected


BY_REFERENCE = {
    "another result, though its equation holds": (("2 + 3 = 5", "5 - 2 = 3", "so 3"), (1, -1, None)),
    "a wrong equation": (("2 + 3 = 6", "6 * 2 = 12", "so 12"), (-1, None, None)),
    "nothing but the conclusion": (("2 + 3 = 5", "so 5"), (1, -1)),
    "a step without a result before": (("Let us see.", "5 - 2 = 3", "so 3"), (None, None, None)),
    "a conclusion alone": (("It is 3.",), (-1,)),
}


@pytest.mark.parametrize(("steps", "expected"), BY_REFERENCE.values(), ids=BY_REFERENCE)
def test_the_reference_can_be_taken_for_the_only_way(steps, expected) -> None:
    assert labels_by_reference(steps, frozenset({Fraction(5), Fraction(10)})) == expected


@pytest.mark.parametrize(("only_way", "labels"), [(False, (None, None, None)), (True, (1, -1, None))])
def test_the_only_way_labels_wrong_answers_and_no_right_ones(only_way: bool, labels) -> None:
    solutions = (("a", "3 + 4 = 7\n7 - 2 = 5\nThe answer is 5."), ("b", "3 + 4 = 7\n2 * 7 = 14\nThe answer is 14."))
    posed = replace(posed_problem(POSED), only_way=only_way, solutions=solutions)
    assert [row.labels for row in rows_of(posed, KeysOnly(), "p", 1)] == [labels, (1, 1, 1)]


def test_without_a_reference_there_is_no_only_way() -> None:
    posed = replace(
        posed_problem({"problem": "p", "answer": "7"}), only_way=True, solutions=(("a", "3 + 5 = 8\nso 8"),)
    )
    assert [row.is_judged for row in rows_of(posed, KeysOnly(), "p", 1)] == [False]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("1,000", True), ("1000.00", True), ("\\frac{2000}{2}", True), ("100", False), (None, False)],
)
def test_answers_are_compared_by_meaning(answer, expected) -> None:
    assert is_right_answer(answer, "1000", KeysOnly()) is expected


BAD_ROWS = {
    "no problem": ({"solutions": ["SECRET"], "answer": "1"}, "problem"),
    "no answer": ({"problem": "SECRET", "solutions": ["a"]}, "answer"),
    "no solutions": ({"problem": "SECRET", "answer": "1", "solutions": []}, "solutions"),
    "a solution that is no text": ({"problem": "SECRET", "answer": "1", "solutions": [1]}, "solutions"),
    "systems without a question": ({"ground_truth": "SECRET\nA: 1"}, "question"),
    "systems without an answer": ({"question": "SECRET", "ground_truth": "a"}, "ground_truth"),
    "no systems": ({"question": "SECRET", "ground_truth": "a\nA: 1"}, "systems"),
}


@pytest.mark.parametrize(("row", "said"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_refused_without_its_text(row, said) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        sampled_solutions(row)
    assert "SECRET" not in str(refused.value)

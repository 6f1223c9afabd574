"""Rows of labelled steps: every way of writing them, and what is refused."""

import pytest

from surefoot.evaluation.labelled_steps import is_right, labelled_steps

THREE = {"problem": "p", "steps": ["a", "b", "c"]}


def rights(row: dict, *, zero: bool = False) -> list[bool | None]:
    return [is_right(label, zero=zero) for label in labelled_steps(row).labels]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([1, 1, 0], [True, True, False]),
        ([True, False, None], [True, False, None]),
        (["+", "-", "+"], [True, False, True]),
        ([1, -1, 1], [True, False, True]),
        ([1.0, 0.0, -1.0], [True, False, False]),
    ],
)
def test_labels_are_read(labels, expected) -> None:
    assert rights({**THREE, "labels": labels}) == expected


def test_zero_is_what_the_caller_says() -> None:
    assert rights({**THREE, "labels": [1, 0, -1]}, zero=True) == [True, True, False]


@pytest.mark.parametrize(("labels", "has_neutral"), [([1, 0, -1], True), ([1, 0, 1], False), ([True, False, 0], False)])
def test_minus_one_makes_zero_neutral(labels, has_neutral) -> None:
    assert labelled_steps({**THREE, "labels": labels}).has_neutral is has_neutral


@pytest.mark.parametrize("field", ["first_error", "label"])
def test_steps_after_the_first_error_have_no_label(field) -> None:
    assert rights({**THREE, field: 1}) == [True, False, None]


@pytest.mark.parametrize("none", [None, -1])
def test_no_first_error_means_that_all_is_right(none) -> None:
    assert rights({**THREE, "first_error": none}) == [True, True, True]


def test_a_first_error_makes_no_zero_neutral() -> None:
    assert not labelled_steps({**THREE, "first_error": -1}).has_neutral


def test_labels_may_stand_beside_the_same_first_error() -> None:
    assert rights({**THREE, "labels": [1, 0, None], "first_error": 1}) == [True, False, None]


@pytest.mark.parametrize("none", [None, -1])
def test_zeros_beside_no_first_error_are_neutral(none) -> None:
    found = labelled_steps({**THREE, "labels": [1, 0, 1], "first_error": none})
    assert found.has_neutral


def test_right_labels_beside_no_first_error_make_no_zero_neutral() -> None:
    assert not labelled_steps({**THREE, "labels": [1, 1, None], "first_error": None}).has_neutral


def test_stepwise_supervision_of_trl_is_read() -> None:
    found = labelled_steps({"prompt": "p", "completions": ["a", "b"], "labels": [True, False]})
    assert (found.problem, found.steps, found.labels) == ("p", ("a", "b"), (True, False))


SHEPHERD = {"input": "How many? Step 1: a - b ки\nStep 2: c ки", "label": "How many? Step 1: a - b +\nStep 2: c -"}


def test_math_shepherd_is_read() -> None:
    found = labelled_steps(SHEPHERD)
    assert (found.problem, found.steps, found.labels) == ("How many?", ("a - b", "c"), ("+", "-"))


BAD = {
    "labels and first_error that differ": {**THREE, "labels": [1, 0, None], "first_error": 2},
    "labels with an error and a first_error of none": {**THREE, "labels": [1, -1, None], "first_error": None},
    "half a row of TRL": {"completions": ["SECRET"], "labels": [True]},
    "a Math-Shepherd row without tags": {"input": "SECRET", "label": "SECRET"},
    "a Math-Shepherd row of two texts": {**SHEPHERD, "label": "SECRET +\n"},
    "a Math-Shepherd label with too few marks": {**SHEPHERD, "label": "How many? Step 1: a - b +"},
    "a Math-Shepherd label with another mark": {**SHEPHERD, "label": SHEPHERD["label"].replace("-", "?")},
    "no label at all": THREE,
    "two sorts of labels": {**THREE, "labels": [1, 1, 1], "first_error": 1},
    "too few labels": {**THREE, "labels": [1, 1]},
    "a word": {**THREE, "labels": [1, 1, "SECRET"]},
    "two": {**THREE, "labels": [1, 1, 2]},
    "labels in a text": {**THREE, "labels": "+++"},
    "a first error past the end": {**THREE, "first_error": 3},
    "a first error of -2": {**THREE, "first_error": -2},
    "a first error that is true": {**THREE, "first_error": True},
    "no steps": {"problem": "p", "steps": [], "labels": []},
    "a step that is no text": {"problem": "p", "steps": [1], "labels": [1]},
    "no problem": {"steps": ["a"], "labels": [1]},
    "half a PRM800K row": {"question": {"problem": "SECRET"}, "label": {}},
    "a PRM800K choice that is not there": {
        "question": {"problem": "p"},
        "label": {"steps": [{"completions": [], "chosen_completion": 3, "human_completion": None}]},
    },
}


@pytest.mark.parametrize("row", BAD.values(), ids=BAD)
def test_a_bad_row_is_refused_without_its_text(row) -> None:
    with pytest.raises(ValueError, match=r"must|give|not those") as refused:
        labelled_steps(row)
    assert "SECRET" not in str(refused.value)


def prm800k(*parts: tuple[list[tuple[str, int | None]], int | None, str | None]) -> dict:
    steps = [
        {
            "completions": [{"text": text, "rating": rating} for text, rating in completions],
            "chosen_completion": chosen,
            "human_completion": None if human is None else {"text": human, "rating": None},
        }
        for completions, chosen, human in parts
    ]
    return {"question": {"problem": "p"}, "label": {"steps": steps, "finish_reason": "solution"}}


def test_prm800k_follows_the_chosen_completions() -> None:
    found = labelled_steps(prm800k(([("a", 1), ("b", -1)], 0, None), ([("c", -1), ("d", 0)], 1, None)))
    assert (found.steps, found.labels, found.has_neutral) == (("a", "d"), (1, 0), True)


def test_prm800k_goes_on_with_the_step_written_by_hand_without_a_label() -> None:
    found = labelled_steps(prm800k(([("a", -1)], None, "by hand"), ([("c", 1)], 0, None)))
    assert (found.steps, found.labels) == (("by hand", "c"), (None, 1))


def test_prm800k_ends_with_the_error_that_was_found() -> None:
    found = labelled_steps(prm800k(([("a", 1)], 0, None), ([("b", -1), ("c", 1)], None, None), ([], None, None)))
    assert (found.steps, found.labels) == (("a", "b"), (1, -1))

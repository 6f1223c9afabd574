"""Labels that people gave: right ones reach their rows, each bad row is named and holds everything back."""

import json
from typing import Any

import pytest

from surefoot.training.hand_off import handed_line, labelled_by_hand
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.rounds import row_key

ROWS = [LabelledRow(f"Problem {number}", ("first", "second", "third"), (None,) * 3, "5", False) for number in range(3)]
GOOD = ([1, 1, 1], [1, 0, None], [0, None, None])


def filled(*labels: Any, **changes: Any) -> list[tuple[int, str]]:
    """The handed rows with these labels, and with `changes` in the second."""
    items = [json.loads(handed_line(row)) | {"labels": each} for row, each in zip(ROWS, labels, strict=True)]
    items[1] |= changes
    return [(number, json.dumps(item)) for number, item in enumerate(items, start=1)]


def test_people_see_neither_the_answer_nor_whether_it_is_right() -> None:
    handed = json.loads(handed_line(ROWS[0]))
    assert handed == {
        "id": row_key(ROWS[0]),
        "problem": "Problem 0",
        "steps": ["first", "second", "third"],
        "labels": [None, None, None],
    }


def test_labels_reach_their_rows_in_any_order() -> None:
    found, bad = labelled_by_hand(ROWS, filled(*GOOD)[::-1])
    assert not bad
    assert [row.labels for row in found] == [(1, 1, 1), (1, -1, None), (-1, None, None)]
    assert [(row.problem, row.answer, row.is_correct) for row in found] == [
        (row.problem, row.answer, row.is_correct) for row in ROWS
    ]


def test_zeros_are_neutral_where_a_file_says_minus_one() -> None:
    found, _ = labelled_by_hand(ROWS, filled([1, 0, 1], [1, -1, None], [1, 1, 1]))
    assert [row.labels for row in found] == [(1, 0, 1), (1, -1, None), (1, 1, 1)]


def test_blank_lines_say_nothing() -> None:
    assert not labelled_by_hand(ROWS, [*filled(*GOOD), (4, "  ")])[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": [None, None, None]}, "labels: a step before the first error has none"),
        ({"labels": [1, None, 0]}, "labels: a step before the first error has none"),
        ({"labels": [1, 1]}, "one for each of the 3 steps"),
        ({"labels": "110"}, "labels must be a list"),
        ({"labels": [1, 2, 1]}, "labels must hold 1, 0, -1 or null"),
        ({"labels": [1, True, 1]}, "labels must hold 1, 0, -1 or null"),
        ({"labels": [1, "+", 1]}, "labels must hold 1, 0, -1 or null"),
        ({"id": "secret"}, "id is none of those"),
        ({"id": None}, "id is none of those"),
        ({"id": row_key(ROWS[0])}, "id stands in another row too"),
        ({"steps": ["first", "secret", "third"]}, "steps are others"),
    ],
)
def test_a_bad_row_is_named_without_what_is_in_it(changes: dict[str, Any], message: str) -> None:
    found, bad = labelled_by_hand(ROWS, filled(*GOOD, **changes))
    assert not found
    assert [row.line for row in bad] == [2]
    assert message in bad[0].message
    assert "secret" not in bad[0].message


@pytest.mark.parametrize(("line", "message"), [("{", "no JSON"), ("[1]", "must hold an object")])
def test_a_line_that_is_no_row_is_named(line: str, message: str) -> None:
    _, bad = labelled_by_hand(ROWS, [*filled(*GOOD), (4, line)])
    assert [row.line for row in bad] == [4]
    assert message in bad[0].message


def test_every_bad_row_is_named() -> None:
    _, bad = labelled_by_hand(ROWS, filled([1, 1, 7], [None, None, None], [1]))
    assert [row.line for row in bad] == [1, 2, 3]


def test_missing_rows_are_counted() -> None:
    _, bad = labelled_by_hand(ROWS, filled(*GOOD)[:1])
    assert [row.message for row in bad] == ["2 of 3 rows are missing: each in to_label.jsonl needs its labels"]

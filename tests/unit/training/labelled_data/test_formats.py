"""Every format that is written is read again, up to where its labels end."""

import json
from dataclasses import replace
from typing import get_args

import pytest

from surefoot.evaluation.labelled_steps import labelled_steps
from surefoot.training.formats import WRITERS, RowFormat, written_rows
from surefoot.training.labelled_row import LabelledRow, labels_to, rows_from

STEPS = ("2 + 3 = 5", "5 - 1 = 6", "The answer is 6.")
WRONG = LabelledRow("What is it?", STEPS, (1, -1, None), "4", False, "made", "arithmetic_slip", "made:1")
RIGHT = LabelledRow("And $x$?", ("1 + 1 = 2", "Это 2."), (1, 1), "2", True, "made", "true", "made:2")
NEUTRAL = LabelledRow("q", ("Let us see.", "1 + 1 = 2"), (0, 1), "2", True, "made", "true", "made:3")
OUTCOME = LabelledRow("q", ("a", "b"), (None, None), "2", False, "made", "sampled", "made:4")


def again(rows: list[LabelledRow], row_format: RowFormat) -> list[LabelledRow]:
    return rows_from([json.loads(line) for line in written_rows(rows, row_format)], "file")


def test_every_format_has_its_writer() -> None:
    assert set(WRITERS) == set(get_args(RowFormat))


@pytest.mark.parametrize(
    "row", [WRONG, RIGHT, OUTCOME, replace(WRONG, soft_labels=(1.0, 0.0, None)), replace(RIGHT, is_correct=None)]
)
def test_the_own_format_keeps_everything(row) -> None:
    assert again([row], "surefoot") == [row]


def test_neutral_steps_stay_neutral_beside_wrong_ones() -> None:
    assert again([WRONG, NEUTRAL], "surefoot") == [WRONG, NEUTRAL]


def test_a_neutral_step_without_a_wrong_one_in_the_file_stays_neutral() -> None:
    assert again([NEUTRAL], "surefoot") == [NEUTRAL]


def test_the_own_format_is_the_one_that_is_documented() -> None:
    (line,) = written_rows([WRONG], "surefoot")
    assert json.loads(line) == {
        "problem": "What is it?",
        "steps": list(STEPS),
        "labels": [1, 0, None],
        "first_error": 1,
        "answer": "4",
        "is_correct": False,
        "source": "made",
        "family": "arithmetic_slip",
        "id": "made:1",
    }


def test_a_row_with_its_outcome_only_names_no_first_error() -> None:
    (line,) = written_rows([OUTCOME], "surefoot")
    assert "first_error" not in json.loads(line)


@pytest.mark.parametrize("row_format", ["prm800k", "trl", "math-shepherd"])
@pytest.mark.parametrize("row", [WRONG, RIGHT], ids=["wrong", "right"])
def test_other_formats_keep_steps_and_labels_to_the_first_error(row_format, row) -> None:
    (read,) = again([row], row_format)
    end = len(row.steps) if row.first_error is None else row.first_error + 1
    assert (read.problem, read.steps, read.labels) == (row.problem, row.steps[:end], row.labels[:end])


@pytest.mark.parametrize("row_format", ["prm800k", "trl", "math-shepherd"])
def test_other_formats_leave_out_rows_without_labels(row_format) -> None:
    assert len(list(written_rows([OUTCOME, RIGHT], row_format))) == 1


def test_prm800k_keeps_answer_and_neutral_steps() -> None:
    (read,) = again([NEUTRAL], "prm800k")
    assert (read.labels, read.answer) == ((0, 1), "2")


def test_math_shepherd_has_its_tags() -> None:
    (line,) = written_rows([WRONG], "math-shepherd")
    written = json.loads(line)
    assert written["input"] == "What is it? Step 1: 2 + 3 = 5 ки\nStep 2: 5 - 1 = 6 ки"
    assert written["label"] == "What is it? Step 1: 2 + 3 = 5 +\nStep 2: 5 - 1 = 6 -"


@pytest.mark.parametrize("row_format", get_args(RowFormat))
def test_the_evaluation_reads_what_is_written(row_format) -> None:
    (line,) = written_rows([WRONG], row_format)
    assert labelled_steps(json.loads(line)).steps[:2] == STEPS[:2]


def test_a_row_may_have_its_outcome_alone() -> None:
    (read,) = rows_from([{"problem": "q", "steps": ["a"], "is_correct": True}], "file")
    assert (read.labels, read.is_correct, read.is_judged) == ((None,), True, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [("is_correct", "SECRET"), ("soft_labels", [2.0]), ("soft_labels", [0.5, 0.5]), ("soft_labels", ["SECRET"])],
)
def test_a_bad_field_is_named_without_its_text(field, value) -> None:
    with pytest.raises(ValueError, match=field) as refused:
        rows_from([{"problem": "q", "steps": ["a"], "labels": [1], field: value}], "file")
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    ("first_error", "expected"), [(None, (1, 1, 1)), (0, (-1, None, None)), (1, (1, -1, None)), (2, (1, 1, -1))]
)
def test_supervision_stops_at_the_first_error(first_error, expected) -> None:
    assert labels_to(first_error, 3) == expected

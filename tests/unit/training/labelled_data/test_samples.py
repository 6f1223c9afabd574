"""Samples become rows: which are kept, each once, and what they came to."""

from fractions import Fraction

import pytest

from surefoot.training.model_solutions import SampledSolutions, posed_problem
from surefoot.training.samples import Drawn, SampleCounts, judged_samples
from surefoot.wiring.fake_service import KeysOnly

POSED = SampledSolutions("What is 2 + 3?", "5", (), frozenset({Fraction(5)}))
RIGHT = Drawn("2 + 3 = 5\nThe answer is 5.", ended=True)
WRONG = Drawn("2 + 3 = 6\nThe answer is 6.", ended=True)
FORMLESS = Drawn("It is 5.", ended=True)
DRAWN = [RIGHT, WRONG, FORMLESS, RIGHT, Drawn(" ", ended=True)]


def judged(drawn=DRAWN):
    return judged_samples(POSED, drawn, KeysOnly(), "pool", 7)


def test_a_sample_without_a_step_has_no_row() -> None:
    assert [sample.row is None for sample in judged()] == [False, False, False, False, True]


def test_ids_name_line_and_place() -> None:
    assert [sample.row.id for sample in judged()[:3]] == ["pool:7:0", "pool:7:1", "pool:7:2"]


def test_steps_are_labelled_where_that_is_certain() -> None:
    assert [sample.row.labels for sample in judged()[:2]] == [(1, 1), (-1, None)]


@pytest.mark.parametrize(
    ("keep", "places"),
    [
        ([], [0, 1, 2]),
        (["all"], [0, 1, 2]),
        (["correct"], [0, 2]),
        (["wrong"], [1]),
        (["well-formed"], [0, 1]),
        (["well-formed", "correct"], [0]),
    ],
)
def test_kept_rows_pass_every_condition_and_come_once(keep, places: list[int]) -> None:
    rows = SampleCounts().kept(judged(), keep)
    assert [row.id for row in rows] == [f"pool:7:{place}" for place in places]


def test_the_report_counts_every_sample() -> None:
    counts = SampleCounts()
    counts.kept(judged(), ["correct"])
    assert counts.report() == {
        "problems": 1,
        "drawn": 5,
        "well_formed": 0.6,
        "pass_at_1": 0.6,
        "distinct": 3,
        "rows_written": 2,
    }


def test_a_gsm8k_row_gives_answer_and_reference() -> None:
    posed = posed_problem({"question": "How many?", "answer": "3 + 4 = <<3+4=7>>7\n7 * 2 = <<7*2=14>>14\n#### 14"})
    assert (posed.answer, posed.reference) == ("14", frozenset({Fraction(7), Fraction(14)}))


def test_a_problem_with_its_answer_has_no_reference() -> None:
    assert posed_problem({"problem": "How many?", "answer": "14"}) == SampledSolutions("How many?", "14", ())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "problem must be"),
        ({"problem": "How many?"}, "answer must be"),
        ({"question": "How many?", "answer": "14"}, "answer must end with a line"),
        ({"question": " ", "answer": "#### 14"}, "question must be"),
    ],
)
def test_a_bad_row_is_refused_by_its_field(row: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        posed_problem(row)

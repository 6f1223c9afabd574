"""Rows of many problems: drawn from the seed, without duplicates, apart from what is tested and validated on."""

from dataclasses import replace

import pytest

from surefoot.training.data_report import report_json, report_markdown
from surefoot.training.dataset import DataOptions, assembled, problem_of, rows_of_problem
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.overlap import ProblemIndex
from surefoot.training.surface import FEATURES, surface_auroc

NOTHING = ProblemIndex([])


def made(solutions, **options) -> list[LabelledRow]:
    wanted = DataOptions(**({"seed": 1, "per_problem": 2} | options))
    return [row for number, each in enumerate(solutions) for row in rows_of_problem(each, f"p:{number}", "p", wanted)]


def test_equal_seeds_give_equal_rows(worked) -> None:
    assert made(worked) == made(worked)


def test_another_seed_gives_other_rows(worked) -> None:
    assert made(worked) != made(worked, seed=2)


def test_the_other_problems_do_not_matter(worked) -> None:
    assert [row.steps for row in made(worked[:1])] == [row.steps for row in made(worked)][: len(made(worked[:1]))]


def test_there_are_as_many_right_as_wrong_solutions(worked) -> None:
    rows = made(worked)
    assert (
        sum(row.is_correct is True for row in rows) == sum(row.is_correct is False for row in rows) == 2 * len(worked)
    )


def test_none_per_problem_gives_true_solutions_alone(worked) -> None:
    assert {row.family for row in made(worked, per_problem=0)} == {"true"}


def test_a_conclusion_can_be_fixed(worked) -> None:
    assert all(row.steps[-1].startswith("#### ") for row in made(worked[:9], conclusion="#### {answer}"))


def test_calculations_are_written_alike(worked) -> None:
    rows = made(worked, per_problem=0, wording="calculations")
    assert all(row.steps[0][0].isdigit() and " = " in row.steps[0] for row in rows)
    assert {row.steps[-1].rpartition(" ")[0] for row in rows} == {"The answer is"}


def test_longer_solutions_are_left_out_and_counted(worked) -> None:
    rows = made(worked)
    data = assembled(rows, NOTHING, DataOptions(validation=0, max_steps=3))
    assert {len(row.steps) for row in rows} > {len(row.steps) for row in data.train}
    assert max(len(row.steps) for row in data.train) == 3
    assert data.dropped["more_steps"] == sum(len(row.steps) > 3 for row in rows)


def test_ids_are_unique(worked) -> None:
    ids = [row.id for row in made(worked)]
    assert len(set(ids)) == len(ids)


def test_labels_fit_the_steps(worked) -> None:
    for row in made(worked):
        assert len(row.labels) == len(row.steps)
        assert (row.first_error is None) is row.is_correct


def test_the_surface_tells_nothing(worked) -> None:
    """The features of `FEATURES` are blind within 0.06 on these rows; understanding alone can tell them apart."""
    found = surface_auroc(made(worked, per_problem=4))
    assert found.keys() == FEATURES.keys()
    assert {name: value for name, value in found.items() if abs(value - 0.5) > 0.06} == {}


def test_the_surface_measure_sees_a_difference() -> None:
    right = LabelledRow("q", ("a",), (1,), is_correct=True)
    wrong = LabelledRow("q", ("a 1.5", "b"), (1, -1), is_correct=False)
    assert surface_auroc([right, wrong])["decimals"] == 1.0


def test_duplicates_are_dropped(worked) -> None:
    rows = made(worked[:5])
    louder = [replace(row, problem=row.problem.upper()) for row in rows]
    data = assembled([*rows, *rows, *louder], NOTHING, DataOptions(validation=0))
    assert (len(data.train), data.dropped["duplicate"]) == (len(rows), 2 * len(rows))


def test_problems_of_the_test_and_their_near_copies_are_dropped(worked) -> None:
    tested = worked[0].problem.replace("red", "green").replace("Monday", "Friday")
    data = assembled(made(worked), ProblemIndex([tested]), DataOptions(validation=0))
    index = ProblemIndex([tested])
    assert data.dropped["excluded_problems"] > 0
    assert all(index.overlap(row.problem) is None for row in data.train)


def distinct(count: int) -> list[LabelledRow]:
    """Rows of problems that share no words."""
    words = [
        [f"{chr(97 + number % 26)}{chr(97 + number // 26)}{chr(97 + place)}" for place in range(20)]
        for number in range(count)
    ]
    return [LabelledRow(" ".join(each), ("a",), (1,)) for each in words]


def test_validation_shares_no_problem_with_training() -> None:
    data = assembled(distinct(200), NOTHING, DataOptions(validation=0.2))
    assert 20 < len(data.validation) < 60
    assert not {row.problem for row in data.train} & {row.problem for row in data.validation}


def test_a_near_copy_of_a_validated_problem_is_validated_too() -> None:
    rows = distinct(60)
    copies = [replace(row, problem=f"{row.problem} zz") for row in rows]
    data = assembled([*rows, *copies], NOTHING, DataOptions(validation=0.3))
    index = ProblemIndex(row.problem for row in data.validation)
    assert data.validation
    assert all(index.overlap(row.problem) is None for row in data.train)


def test_the_report_counts_by_family_and_place() -> None:
    rows = [
        LabelledRow("one q", ("a", "b"), (1, -1), is_correct=False, family="copied_number"),
        LabelledRow("two q", ("a", "b"), (1, 1), is_correct=True, family="true"),
    ]
    report = report_json(assembled(rows, NOTHING, DataOptions(validation=0)), {"seed": 1})
    assert report["train"]["by_family"] == {"copied_number": 1, "true": 1}
    assert report["train"]["first_errors"]["copied_number"]["1"] == 1
    assert report["train"]["labels"] == {"right": 3, "neutral": 0, "wrong": 1, "none": 0}
    assert "| copied_number | 0 | 1 |" in report_markdown(report)


@pytest.mark.parametrize(
    "row",
    [
        {"problem": "How many?"},
        {"question": "How many?"},
        {"prompt": "How many?"},
        {"question": {"problem": "How many?"}},
        {"input": "How many? Step 1: a ки"},
    ],
)
def test_a_problem_is_found_in_every_format(row) -> None:
    assert problem_of(row) == "How many?"


def test_a_row_without_a_problem_is_refused() -> None:
    with pytest.raises(ValueError, match="problem"):
        problem_of({"text": "SECRET"})

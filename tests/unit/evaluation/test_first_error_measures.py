"""First-error measures: their numbers are those of the parts they are made of, and the confusion loses nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.aggregation import first_error
from surefoot.errors import LabelsDegenerate
from surefoot.evaluation.calibration import JudgedSolution, measure, step_scores
from surefoot.evaluation.first_error_measures import MAX_POSITIONS, confusion, measure_first_errors
from surefoot.evaluation.first_error_report import confusion_csv, positions
from surefoot.profiles import load_profile

PROFILE = load_profile("embedded-prm")
PLACES = st.lists(st.tuples(st.none() | st.integers(0, 20), st.none() | st.integers(0, 20)), min_size=1)


def solution(*logits: float, right: tuple[bool | None, ...]) -> JudgedSolution:
    return JudgedSolution(tuple((logit, 0.0) for logit in logits), right)


@given(places=PLACES, num_positions=st.integers(1, 21))
def test_every_solution_is_counted_once(places, num_positions) -> None:
    found, truths = zip(*places, strict=True)
    assert confusion(found, truths, num_positions).sum() == len(places)


@given(places=PLACES)
def test_the_diagonal_holds_what_is_found(places) -> None:
    found, truths = zip(*places, strict=True)
    table = confusion(found, truths, 21)
    assert table.trace() == sum(one == other for one, other in places)


def test_rows_are_true_and_columns_found() -> None:
    assert confusion([None, 2], [0, 1], 3).tolist() == [[0, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_later_steps_are_counted_as_the_last() -> None:
    assert confusion([7], [3], 2)[1, 1] == 1


def test_accuracies_are_those_of_calibration(drawn) -> None:
    solutions = drawn(200)
    measured = measure_first_errors(PROFILE, solutions, [PROFILE.threshold])
    wanted = measure(PROFILE, solutions)
    (at,) = measured.at
    assert (at.accuracy_erroneous, at.accuracy_correct, at.f1, measured.num_judged_solutions) == (
        wanted.accuracy_erroneous,
        wanted.accuracy_correct,
        wanted.f1,
        wanted.num_judged_solutions,
    )


def test_each_threshold_has_its_own_measures(drawn) -> None:
    solutions = drawn(200)
    both = measure_first_errors(PROFILE, solutions, [0.2, 0.8]).at
    alone = [measure_first_errors(PROFILE, solutions, [threshold]).at[0] for threshold in (0.2, 0.8)]
    assert list(both) == alone
    assert both[0].f1 != both[1].f1


def test_the_confusion_is_that_of_the_scores(drawn) -> None:
    solutions = drawn(50)
    (at,) = measure_first_errors(PROFILE, solutions, [0.6]).at
    found = [first_error(step_scores(PROFILE, each), 0.6) for each in solutions]
    missed = sum(place is None and each.first_error is not None for place, each in zip(found, solutions, strict=True))
    assert sum(row[-1] for row in at.confusion[:-1]) == missed


def test_auroc_is_of_labelled_steps_alone() -> None:
    solutions = [
        solution(2.0, -3.0, 9.0, right=(True, False, None)),
        solution(1.0, 3.0, right=(True, True)),
    ]
    measured = measure_first_errors(PROFILE, solutions, [0.5])
    assert (measured.auroc, measured.num_steps, measured.num_right_steps) == (1, 4, 3)


def test_solutions_whose_first_error_is_unknown_are_not_judged() -> None:
    solutions = [
        solution(2.0, right=(True,)),
        solution(-2.0, right=(False,)),
        solution(-2.0, 2.0, right=(None, False)),
    ]
    measured = measure_first_errors(PROFILE, solutions, [0.5])
    assert (measured.num_solutions, measured.num_judged_solutions, measured.at[0].f1) == (3, 2, 1)


@pytest.mark.parametrize("right", [True, False])
def test_one_sort_of_solutions_is_refused(right) -> None:
    with pytest.raises(LabelsDegenerate, match="first-error F1"):
        measure_first_errors(PROFILE, [solution(1.0, right=(right,))], [0.5])


@pytest.mark.parametrize(("num_steps", "last"), [(3, "2"), (MAX_POSITIONS + 5, f"{MAX_POSITIONS - 1}+")])
def test_the_last_position_says_whether_it_stands_for_more(num_steps, last) -> None:
    long = solution(*[1.0] * num_steps, right=(True,) * num_steps)
    (at,) = measure_first_errors(PROFILE, [long, solution(1.0, right=(False,))], [0.5]).at
    assert positions(at)[-2:] == [last, "none"]


def test_the_table_holds_every_count_that_is_not_zero(drawn) -> None:
    measured = measure_first_errors(PROFILE, drawn(80), [0.3, 0.5])
    counts = [int(row.rsplit(",", 1)[1]) for row in confusion_csv(measured).splitlines()[1:]]
    assert sum(counts) == 2 * 80
    assert 0 not in counts

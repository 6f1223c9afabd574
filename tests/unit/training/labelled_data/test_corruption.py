"""Corrupted solutions: right before the first error, wrong there, consistent with it afterwards."""

import random
from collections import Counter
from fractions import Fraction
from typing import get_args

import pytest

from surefoot.checks.arithmetic import check_arithmetic
from surefoot.training.carrying import Change, NotCarried, carried
from surefoot.training.corruption import FAMILIES, WEIGHTS, Family, corrupted, corruptions
from surefoot.training.worked_solution import worked_solution

FEWER_STEPS = {"dropped_step"}
"""Families whose later steps do not stand where those of the true solution stand."""


@pytest.fixture(scope="session")
def found(worked) -> list:
    pairs = []
    for number, solution in enumerate(worked):
        for family in get_args(Family):
            corruption = corrupted(solution, family, random.Random(number))
            if corruption is not None:
                pairs.append((solution, corruption))
    return pairs


def texts(solution) -> list[str]:
    return [*(step.text for step in solution.steps), str(solution.answer)]


def test_every_family_has_its_function_and_its_weight() -> None:
    assert set(FAMILIES) == set(WEIGHTS) == set(get_args(Family))


def test_every_family_finds_a_place(found) -> None:
    assert set(Counter(corruption.family for _, corruption in found)) == set(get_args(Family))


def test_steps_before_the_first_error_are_those_of_the_true_solution(found) -> None:
    for solution, corruption in found:
        before = texts(corruption.solution)[: corruption.first_error]
        true = texts(solution)
        kept = true if corruption.family in FEWER_STEPS else true[: corruption.first_error]
        assert [text for text in true if text in before] == before
        assert set(before) <= set(kept)


def test_the_first_error_is_another_step_than_any_true_one(found) -> None:
    for solution, corruption in found:
        if corruption.family != "contradictory_conclusion":
            assert texts(corruption.solution)[corruption.first_error] not in texts(solution)


def values(step) -> list[Fraction]:
    return [calculation.value for calculation in step.calculations]


def test_the_first_error_comes_to_another_value(found) -> None:
    for solution, corruption in found:
        if corruption.family != "contradictory_conclusion":
            true = solution.steps[corruption.first_error + (corruption.family in FEWER_STEPS)]
            assert values(corruption.solution.steps[corruption.first_error]) != values(true)


def test_exchanged_summands_are_no_error() -> None:
    row = {
        "question": "Sara sent 6 letters in May, 9 in June, and in July triple the number of May. How many?",
        "answer": "In May and June she sent 6 + 9 = <<6+9=15>>15 letters.\n"
        "In July she sent 3 * 6 = <<3*6=18>>18 letters.\nIn all she sent 15 + 18 = <<15+18=33>>33 letters.\n#### 33",
    }
    solution = worked_solution(row)
    found = [corrupted(solution, "swapped_quantities", random.Random(seed)) for seed in range(30)]
    assert all(each is None or each.first_error > 0 for each in found)


def test_the_final_answer_is_wrong(found) -> None:
    assert all(solution.answer != corruption.solution.answer for solution, corruption in found)


def test_only_a_slip_makes_an_equation_false_and_only_where_it_is(found) -> None:
    for _, corruption in found:
        false = [
            index
            for index, step in enumerate(corruption.solution.steps)
            if check_arithmetic(step.text).verdict == "fail"
        ]
        assert false == ([corruption.first_error] if corruption.family == "arithmetic_slip" else [])


def test_only_a_contradiction_ends_with_another_value_than_the_last(found) -> None:
    for _, corruption in found:
        last = corruption.solution.steps[-1].calculations[-1].value
        assert (last == corruption.solution.answer) is (corruption.family != "contradictory_conclusion")


def test_no_number_gets_decimals(found) -> None:
    assert all(
        value.denominator == 1 and value > 0
        for _, corruption in found
        for step in corruption.solution.steps
        for value in step.numbers()
    )


def test_a_dropped_step_is_gone_and_the_error_is_where_it_was_needed(found) -> None:
    for solution, corruption in found:
        if corruption.family == "dropped_step":
            assert len(corruption.solution.steps) == len(solution.steps) - 1


def test_a_wrong_value_is_carried_through(clips) -> None:
    wrong = carried(clips, Change(0, values={(0, 0): Fraction(30)}))
    assert texts(wrong) == [
        "Natalia sold 58/2 = 30 clips in May.",
        "Natalia sold 58+30 = 88 clips altogether in April and May.",
        "88",
    ]


def test_a_number_read_wrongly_is_wrong_everywhere(clips) -> None:
    wrong = carried(clips, Change(0, renamed={Fraction(58): Fraction(68)}))
    assert texts(wrong)[1:] == ["Natalia sold 68+34 = 102 clips altogether in April and May.", "102"]


def test_a_fraction_where_a_whole_number_stood_is_refused(clips) -> None:
    with pytest.raises(NotCarried, match="readable"):
        carried(clips, Change(0, renamed={Fraction(58): Fraction(57)}))


def test_a_value_that_the_problem_names_too_is_not_followed() -> None:
    solution = worked_solution(
        {"question": "2 rows of 9 and 18 more?", "answer": "2*9=<<2*9=18>>18\n18+18=<<18+18=36>>36\n#### 36"}
    )
    with pytest.raises(NotCarried, match="same value"):
        carried(solution, Change(0, values={(0, 0): Fraction(19)}))


def test_a_step_that_says_its_value_first_is_not_changed() -> None:
    solution = worked_solution(
        {"question": "q 7 and 9?", "answer": "There are 63 since 7*9=<<7*9=63>>63 pens\n63+9=<<63+9=72>>72\n#### 72"}
    )
    with pytest.raises(NotCarried, match="before"):
        carried(solution, Change(0, values={(0, 0): Fraction(64)}))


def test_an_answer_that_no_step_works_out_is_left_alone() -> None:
    row = {"question": "7 and 9?", "answer": "There are 7*9=<<7*9=63>>63 pens\nSo it is one more.\n#### 64"}
    assert not list(corruptions(worked_solution(row), 3, random.Random(1)))


def test_the_corruptions_of_a_problem_differ(worked) -> None:
    for number, solution in enumerate(worked[:30]):
        keys = [tuple(texts(each.solution)) for each in corruptions(solution, 4, random.Random(number))]
        assert len(set(keys)) == len(keys) > 2

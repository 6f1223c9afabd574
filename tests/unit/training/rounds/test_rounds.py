"""What a round chooses: by the labeller, by the scores, never twice, never what is kept apart."""

from collections.abc import Sequence

import pytest

from surefoot.training.labelled_row import Label, LabelledRow
from surefoot.training.rounds import (
    KeptApart,
    Labeller,
    PoolSolution,
    choose,
    open_solutions,
    row_key,
    rule_labelled,
)


def solution(
    number: int,
    *,
    is_correct: bool | None = False,
    labels: Sequence[Label | None] = (None, None),
    answer: str | None = "5",
    steps: tuple[str, ...] = ("first", "second"),
) -> PoolSolution:
    return PoolSolution(LabelledRow(f"Problem {number}", steps, tuple(labels), answer, is_correct))


def test_the_most_convincing_wrong_answers_make_up_four_fifths() -> None:
    pool = [solution(number, is_correct=number % 2 == 0) for number in range(20)]
    chosen = choose(pool, [number / 20 for number in range(20)], "convincing", 5, "1/1")
    assert [each.place for each in chosen] == [19, 17, 15, 13, 18]
    assert [each.reason for each in chosen] == ["convincing_wrong_answer"] * 4 + ["most_convincing_of_the_rest"]


def test_what_has_no_score_is_not_convincing() -> None:
    chosen = choose([solution(0), solution(1)], [None, 0.1], "convincing", 2, "1/1")
    assert [each.place for each in chosen] == [1]


def test_a_uniform_choice_reads_no_scores() -> None:
    pool = [solution(number) for number in range(30)]
    chosen, blind = (choose(pool, scores, "uniform", 5, "1/1") for scores in ([1.0] * 30, [None] * 30))
    assert chosen == blind
    assert len({each.place for each in chosen}) == 5


def test_a_uniform_choice_gives_everything_the_same_chance() -> None:
    pool = [solution(number) for number in range(4)]
    counts = [0] * 4
    for seed in range(2000):
        (each,) = choose(pool, [None] * 4, "uniform", 1, f"{seed}/1")
        counts[each.place] += 1
    assert all(430 < count < 570 for count in counts)


@pytest.mark.parametrize("how", ["convincing", "uniform"])
def test_no_more_is_chosen_than_there_is(how) -> None:
    assert len(choose([solution(0), solution(1)], [0.5, 0.5], how, 9, "1/1")) == 2


def test_what_is_taken_is_not_open_again() -> None:
    pool = [solution(0), solution(1)]
    assert open_solutions(pool, "hand-off", {row_key(pool[0].row)}) == pool[1:]


def test_a_text_is_open_once_whatever_its_spaces() -> None:
    again = solution(0, steps=("First ", " second"))
    assert len(open_solutions([solution(0), again], "hand-off", ())) == 1


@pytest.mark.parametrize(
    ("labeller", "given", "can"),
    [
        ("reference", solution(0, labels=(1, -1)), True),
        ("reference", solution(0, labels=(None, None)), False),
        ("rollouts", solution(0), True),
        ("rollouts", solution(0, answer=None), False),
        ("rule", solution(0, steps=("2 + 3 = 5", "The answer is 5."), is_correct=True), True),
        ("rule", solution(0, steps=("2 + 3 = 6", "The answer is 6."), is_correct=False), True),
        ("rule", solution(0, is_correct=False), False),
        ("rule", solution(0, is_correct=None), False),
        ("hand-off", solution(0, answer=None, is_correct=None), True),
    ],
)
def test_only_what_the_labeller_can_label_is_open(labeller: Labeller, given: PoolSolution, can: bool) -> None:
    assert bool(open_solutions([given], labeller, ())) is can


def test_rules_find_the_first_error() -> None:
    row = rule_labelled(solution(0, steps=("2 + 3 = 6", "The answer is 6."), is_correct=False))
    assert row.labels == (-1, None)


def test_a_near_copy_of_an_excluded_problem_is_kept_apart() -> None:
    text = "Tom buys 3 red apples and 4 green ones at the old market on Sunday"
    apart = KeptApart([text], [])
    assert text.replace("3", "17") in apart
    assert "How many days has a week?" not in apart


def test_of_what_is_validated_on_the_very_problem_is_kept_apart() -> None:
    apart = KeptApart([], ["Add 1 and 2"])
    assert "add 1  and 2" in apart
    assert "Add 1 and 3" not in apart

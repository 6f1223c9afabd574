"""What the loop reads: pools and problems in each way of writing, and what it refuses."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from surefoot.cli.jsonl_run import Tally
from surefoot.cli.loop_pool import given_problems, pool_solutions
from surefoot.errors import ExamplesInvalid
from surefoot.training.rounds import KeptApart, PoolSolution
from surefoot.wiring.fake_service import KeysOnly

NOTHING = KeptApart([], [])


@pytest.fixture
def pool_of(written) -> Callable[..., tuple[list[PoolSolution], Tally]]:
    """The solutions of a pool of these rows, and its tally."""

    def read(*rows: dict[str, Any]) -> tuple[list[PoolSolution], Tally]:
        tally = Tally()
        return pool_solutions(written("pool.jsonl", *map(json.dumps, rows)), KeysOnly(), tally), tally

    return read


@pytest.fixture
def problems_in(written) -> Callable[..., Path]:
    """A file of these problems."""
    return lambda *rows: written("problems.jsonl", *map(json.dumps, rows))


@pytest.mark.parametrize(
    "row",
    [
        {"candidates": ["2 + 3 = 5\nThe answer is 5.", {"text": "2 + 3 = 6\nThe answer is 6."}]},
        {"solutions": ["2 + 3 = 5\nThe answer is 5.", "2 + 3 = 6\nThe answer is 6."]},
    ],
)
def test_candidates_are_solutions_with_steps(pool_of, row: dict[str, Any]) -> None:
    found, _ = pool_of({"problem": "What is 2 + 3?", "answer": "5", **row})
    assert [solution.row.steps[0] for solution in found] == ["2 + 3 = 5", "2 + 3 = 6"]
    assert [solution.row.is_correct for solution in found] == [True, False]


def test_labelled_rows_keep_their_labels(pool_of) -> None:
    found, _ = pool_of({"problem": "p", "steps": ["a", "b"], "labels": [1, 0]})
    assert found[0].row.labels == (1, -1)


def test_the_answer_of_a_labelled_row_is_compared_where_nobody_did(pool_of) -> None:
    found, _ = pool_of({"problem": "p", "steps": ["so", "The answer is 6."], "labels": [1, 0], "answer": "5"})
    assert found[0].row.is_correct is False


def test_candidates_without_the_right_answer_are_named(pool_of) -> None:
    row = {"problem": "p", "candidates": [{"text": "so", "is_correct": True}]}
    found, tally = pool_of(row)
    assert not found
    assert "answer must be the right one" in tally.shown[0][1].message


def test_a_problem_of_gsm8k_has_its_answer_and_results(problems_in) -> None:
    (found,) = given_problems(
        problems_in({"question": "Two and three, twice?", "answer": "2+3=<<2+3=5>>5\n5*2=<<5*2=10>>10\n#### 10"}),
        NOTHING,
    )
    assert (found.answer, found.reference) == ("10", {Fraction(5), Fraction(10)})


def test_a_problem_may_have_a_solution_beside_its_answer(problems_in) -> None:
    (found,) = given_problems(problems_in({"problem": "p", "answer": "5", "solution": "2 + 3 = 5"}), NOTHING)
    assert found.reference == {Fraction(5)}


def test_a_problem_is_sampled_for_once(problems_in) -> None:
    assert len(given_problems(problems_in(*[{"problem": "p", "answer": "5"}] * 2), NOTHING)) == 1


def test_problems_kept_apart_are_not_sampled_for(problems_in) -> None:
    assert not given_problems(problems_in({"problem": "p", "answer": "5"}), KeptApart([], ["p"]))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"problem": "p"}, "answer must be a text"),
        ({"problem": "p", "answer": " "}, "answer must be a text"),
        ({"problem": "p", "answer": "5", "solution": 5}, "solution, if there is one, a text"),
        ({"problem": "p", "answer": "so\n#### many"}, "#### x"),
        ({"answer": "5"}, "give the problem"),
    ],
)
def test_a_problem_that_cannot_be_read_is_refused(problems_in, row: dict[str, Any], message: str) -> None:
    with pytest.raises(ExamplesInvalid, match="line 1") as refused:
        given_problems(problems_in(row), NOTHING)
    assert message in refused.value.message

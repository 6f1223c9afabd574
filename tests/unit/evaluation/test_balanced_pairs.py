"""Balanced pairs against their plain definition, and what they promise: style and names gain nothing."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from surefoot.errors import LabelsDegenerate
from surefoot.evaluation.balanced_pairs import balanced_pairs
from surefoot.evaluation.bootstrap import resamples

SYSTEMS = ("a", "b", "c")


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Scores with ties and verdicts, [problems, 3]."""
    rows = draw(st.integers(2, 12))
    cells = [st.lists(each, min_size=3 * rows, max_size=3 * rows) for each in (st.integers(-2, 2), st.booleans())]
    scores, rights = (np.array(draw(each)).reshape(rows, 3) for each in cells)
    assume(any(np.any(rights[:, a] > rights[:, b]) and np.any(rights[:, b] > rights[:, a]) for a, b in PAIRS))
    return scores.astype(float), rights


PAIRS = list(combinations(range(3), 2))


def measured(scores: np.ndarray, rights: np.ndarray, systems=SYSTEMS):
    return balanced_pairs(scores, rights, systems, resamples(len(scores), seed=0, num_resamples=20))


def side(scores, rights, winner: int, loser: int) -> float | None:
    """P(winner scores higher | the winner alone is right), written out."""
    rows = [row for row in range(len(scores)) if rights[row, winner] and not rights[row, loser]]
    points = [(scores[r, winner] > scores[r, loser]) + 0.5 * (scores[r, winner] == scores[r, loser]) for r in rows]
    return sum(points) / len(points) if points else None


@given(tables())
def test_the_mean_is_that_of_the_plain_formula(table) -> None:
    scores, rights = table
    sides = [(side(scores, rights, a, b), side(scores, rights, b, a)) for a, b in PAIRS]
    balanced = [(first + second) / 2 for first, second in sides if first is not None and second is not None]
    assert measured(scores, rights).mean.value == pytest.approx(sum(balanced) / len(balanced))


@given(tables(), st.permutations(range(3)))
def test_the_order_of_the_systems_changes_nothing(table, order) -> None:
    scores, rights = table
    other = measured(scores[:, order], rights[:, order], [SYSTEMS[index] for index in order])
    assert other.mean.value == pytest.approx(measured(scores, rights).mean.value)


@given(tables())
def test_a_constant_score_is_chance(table) -> None:
    _, rights = table
    assert measured(np.ones(rights.shape), rights).mean.value == 0.5


@given(tables())
def test_a_perfect_score_is_1(table) -> None:
    _, rights = table
    assert measured(rights.astype(float), rights).mean.value == 1


@given(tables(), st.integers(1, 5))
def test_what_is_given_to_one_system_moves_both_sides_apart(table, bonus) -> None:
    scores, rights = table
    liked = scores + np.array([bonus, 0, 0])
    for before, after in zip(measured(scores, rights).pairs, measured(liked, rights).pairs, strict=True):
        if before.first == "a":
            assert after.when_first_right >= before.when_first_right
            assert after.when_second_right <= before.when_second_right


@given(tables())
def test_a_score_that_knows_the_author_alone_is_chance(table) -> None:
    _, rights = table
    assert measured(np.tile([3.0, 2.0, 1.0], (len(rights), 1)), rights).mean.value == 0.5


def test_problems_that_both_or_neither_solve_do_not_count() -> None:
    rights = np.array([[True, False], [False, True]])
    more = np.array([[True, True], [False, False]])
    scores = np.array([[2.0, 1.0], [1.0, 1.0]])
    both = measured(np.concatenate([scores, [[0.0, 9.0], [9.0, 0.0]]]), np.concatenate([rights, more]), ("a", "b"))
    assert (both.pairs[0].when_first_right, both.pairs[0].when_second_right) == (1.0, 0.5)


def test_without_a_pair_of_both_sides_there_is_nothing_to_measure() -> None:
    with pytest.raises(LabelsDegenerate, match="balanced pairs"):
        measured(np.ones((2, 3)), np.array([[True, False, False]] * 2))


def test_the_interval_holds_the_value() -> None:
    generator = np.random.default_rng(0)
    rights = generator.random((80, 3)) < 0.5
    found = balanced_pairs(rights + generator.normal(size=(80, 3)), rights, SYSTEMS, resamples(80, seed=1)).mean
    assert found.low < found.value < found.high

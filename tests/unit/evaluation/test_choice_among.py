"""Choice among systems: ties in expectation, votes, and the bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.evaluation.choice_among import at_random, by_score, by_vote, oracle, strongest

CELLS = st.lists(st.tuples(*[st.tuples(st.integers(0, 2), st.booleans())] * 4), min_size=1, max_size=8)


@given(CELLS)
def test_the_highest_score_is_chosen_and_ties_count_their_share(rows) -> None:
    scores = np.array([[float(score) for score, _ in row] for row in rows])
    rights = np.array([[right for _, right in row] for row in rows])
    plain = []
    for row in rows:
        top = [right for score, right in row if score == max(score for score, _ in row)]
        plain.append(sum(top) / len(top))
    assert by_score(scores, rights).tolist() == pytest.approx(plain)


@given(CELLS)
def test_a_vote_of_equal_weights_is_the_plurality(rows) -> None:
    groups = [[group for group, _ in row] for row in rows]
    rights = np.array([[group == 1 for group, _ in row] for row in rows])
    plain = []
    for row in groups:
        most = max(row.count(group) for group in set(row))
        top = [group for group in set(row) if row.count(group) == most]
        plain.append((1 in top) / len(top))
    assert by_vote(groups, rights).tolist() == pytest.approx(plain)


@given(CELLS)
def test_every_way_lies_below_the_oracle(rows) -> None:
    scores = np.array([[float(score) for score, _ in row] for row in rows])
    rights = np.array([[right for _, right in row] for row in rows])
    ways = (by_score(scores, rights), at_random(rights), by_vote([[0, 1, 2, None]] * len(rows), rights))
    assert all((way <= oracle(rights) + 1e-12).all() for way in ways)


def test_the_heavier_answer_wins_a_weighted_vote() -> None:
    groups, rights = [[0, 0, 1]], np.array([[False, False, True]])
    found = [by_vote(groups, rights, np.array([weights])) for weights in ([0.2, 0.2, 0.9], [0.5, 0.5, 0.9])]
    assert [each.tolist() for each in found] == [[1.0], [0.0]]


def test_solutions_without_an_answer_do_not_vote() -> None:
    assert by_vote([[None, None, 0], [None] * 3], np.array([[False, False, True]] * 2)).tolist() == [1.0, 0.0]


def test_the_strongest_is_right_most_often_and_the_first_of_equals() -> None:
    assert strongest(np.array([[False, True, True], [True, False, False], [False, True, True]])) == 1

"""Results as arrays: what failed has no number in them."""

import numpy as np
import pytest

from surefoot_client import ItemFailure, ItemsFailed, NoSteps
from surefoot_client.rl import score_array, score_arrays, step_score_array

FAILURE = ItemFailure(1, NoSteps("no steps"))


@pytest.fixture
def scored(result):
    return result("one\ntwo", [(0, 3), (4, 7)], [0.75, 0.25])


def test_scores_are_one_array(scored):
    scores = score_array([scored, scored])
    assert (scores.tolist(), scores.dtype) == ([0.5, 0.5], np.float64)


def test_a_failure_raises_where_every_score_is_wanted(scored):
    with pytest.raises(ItemsFailed, match="1 of 2"):
        score_array([scored, FAILURE])


def test_a_failure_has_a_place_among_the_failed_and_no_score(scored):
    arrays = score_arrays([scored, FAILURE, scored])
    assert (arrays.scores.tolist(), arrays.indices.tolist(), arrays.failed.tolist()) == ([0.5, 0.5], [0, 2], [1])


def test_nothing_is_empty_arrays():
    arrays = score_arrays([])
    assert (arrays.scores.shape, arrays.indices.shape, arrays.failed.shape) == ((0,), (0,), (0,))
    assert (arrays.scores.dtype, arrays.indices.dtype) == (np.float64, np.int64)


def test_the_steps_of_a_result_are_one_array(scored):
    assert step_score_array(scored).tolist() == [0.75, 0.25]

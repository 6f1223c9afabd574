"""verl's call of a custom reward function: its arguments, `reward_kwargs` merged in by a partial."""

import asyncio
import inspect
from functools import partial

import pytest

from surefoot_client import ItemsFailed
from surefoot_client.trainers.verl import compute_score, compute_score_blocking

ARGUMENTS = {"data_source": "sums", "solution_str": "5", "ground_truth": "5", "extra_info": {"question": "2 + 3?"}}


@pytest.fixture
def scored(solutions):
    """Calls with the scripted server's client in the place of addresses."""
    client = solutions.client()
    return lambda **given: asyncio.run(compute_score(**ARGUMENTS | {"servers": client} | given))


def test_the_score_and_what_verl_averages(solutions, scored) -> None:
    solutions.scores = {"5": 0.5}
    assert scored() == {"score": 0.5, "num_steps": 2.0, "no_error": 1.0}
    assert solutions.items == [{"problem": "2 + 3?", "solution": "5"}]


def test_arguments_of_verls_own_reward_model_are_ignored(solutions, scored) -> None:
    solutions.scores = {"5": 0.5}
    assert scored(reward_router_address="1.2.3.4:5", reward_model_tokenizer=None)["score"] == 0.5


def test_another_key_may_hold_the_problem(solutions, scored) -> None:
    solutions.scores = {"5": 0.5}
    scored(extra_info={"problem": "What?"}, problem_key="problem")
    assert solutions.items[0]["problem"] == "What?"


@pytest.mark.parametrize("extra_info", [None, {}, {"question": 3}])
def test_a_problem_that_is_not_there_is_named(scored, extra_info) -> None:
    with pytest.raises(TypeError, match="extra_info has no text 'question'"):
        scored(extra_info=extra_info)


def test_a_failure_raises(solutions, scored) -> None:
    solutions.scores = {"5": "non_finite_score"}
    with pytest.raises(ItemsFailed):
        scored()


def test_what_nothing_can_score_has_the_same_keys(solutions, scored) -> None:
    solutions.scores = {"5": "no_steps"}
    assert scored(unscorable_reward=-1.0) == {"score": -1.0, "num_steps": 0.0, "no_error": 0.0}


def test_the_blocking_form_says_the_same(solutions) -> None:
    solutions.scores = {"5": 0.5}
    assert compute_score_blocking(**ARGUMENTS, servers=solutions.client())["score"] == 0.5


def test_verl_sees_which_form_can_be_awaited() -> None:
    assert inspect.iscoroutinefunction(partial(compute_score, servers="http://h:1"))
    assert not inspect.iscoroutinefunction(compute_score_blocking)

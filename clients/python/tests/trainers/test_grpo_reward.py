"""What TRL hands to a reward function, and what it gets back."""

import asyncio
import inspect

import httpx
import pytest

from surefoot_client import InvalidRequest, ItemsFailed
from surefoot_client.trainers.trl import grpo_reward

PROMPT = [{"role": "system", "content": "Think."}, {"role": "user", "content": "2 + 3?"}]


def said(text):
    return [{"role": "assistant", "content": text}]


def call(reward, prompts, completions, **columns):
    ids = [[1, 2]] * len(prompts)
    return asyncio.run(reward(prompts=prompts, completions=completions, completion_ids=ids, **columns))


def test_it_is_a_coroutine_function_of_the_given_name() -> None:
    reward = grpo_reward(name="process")
    assert inspect.iscoroutinefunction(reward)
    assert reward.__name__ == "process"


def test_rewards_are_the_scores_in_order(solutions) -> None:
    solutions.scores = {f"s{number}": number / 100 for number in range(70)}
    reward = grpo_reward(solutions.client(), batch_size=8)
    texts = list(solutions.scores)
    assert call(reward, ["p"] * 70, texts) == [number / 100 for number in range(70)]


def test_a_plain_prompt_is_the_problem(solutions) -> None:
    solutions.scores = {"5": 0.5}
    call(grpo_reward(solutions.client()), ["2 + 3?"], ["5"])
    assert solutions.items == [{"problem": "2 + 3?", "solution": "5"}]


def test_of_messages_the_user_turn_is_the_problem(solutions) -> None:
    solutions.scores = {"5": 0.5}
    assert call(grpo_reward(solutions.client()), [PROMPT], [said("5")]) == [0.5]
    assert solutions.items == [{"problem": "2 + 3?", "solution": "5"}]


def test_a_column_may_hold_the_problem(solutions) -> None:
    solutions.scores = {"5": 0.5}
    call(grpo_reward(solutions.client(), problem_column="question"), [PROMPT], [said("5")], question=["What?"])
    assert solutions.items == [{"problem": "What?", "solution": "5"}]


def test_a_column_that_is_not_there_is_named(solutions) -> None:
    with pytest.raises(ValueError, match="no column 'question'"):
        call(grpo_reward(solutions.client(), problem_column="question"), ["p"], ["5"], answer=["5"])


def test_model_and_aggregation_are_sent(solutions) -> None:
    solutions.scores = {"5": 0.5}
    call(grpo_reward(solutions.client(), model="prm", aggregation="min"), ["p"], ["5"])
    assert (solutions.bodies[0]["model"], solutions.bodies[0]["aggregation"]) == ("prm", "min")


def test_a_failure_raises(solutions) -> None:
    solutions.scores = {"5": 0.5, "bad": "non_finite_score"}
    with pytest.raises(ItemsFailed, match=r"1 of 2 completions have no reward \(non_finite_score\)"):
        call(grpo_reward(solutions.client()), ["p", "p"], ["5", "bad"])


def test_a_failure_becomes_none_by_choice(solutions) -> None:
    solutions.scores = {"5": 0.5, "bad": "non_finite_score"}
    reward = grpo_reward(solutions.client(), on_failure="none")
    assert call(reward, ["p", "p"], ["bad", "5"]) == [None, 0.5]


def test_a_server_that_is_away_becomes_none_by_choice(solutions) -> None:
    solutions.refusal = httpx.Response(503)
    assert call(grpo_reward(solutions.client(), on_failure="none"), ["p"] * 2, ["4", "5"]) == [None, None]


def test_what_can_never_succeed_raises_whatever_was_chosen(solutions) -> None:
    solutions.refusal = httpx.Response(422, json={"error": {"code": "invalid_request", "message": "no such model"}})
    with pytest.raises(ItemsFailed) as raised:
        call(grpo_reward(solutions.client(), on_failure="none"), ["p"], ["5"])
    assert isinstance(raised.value.__cause__, InvalidRequest)


@pytest.mark.parametrize("on_failure", ["raise", "none"])
def test_a_completion_that_nothing_can_score_gets_the_reward_for_it(solutions, on_failure) -> None:
    solutions.scores = {"": "no_steps", "5": 0.5}
    reward = grpo_reward(solutions.client(), on_failure=on_failure, unscorable_reward=-1.0)
    assert call(reward, ["p", "p"], ["", "5"]) == [-1.0, 0.5]


def test_that_reward_is_for_nothing_else(solutions) -> None:
    solutions.scores = {"5": "empty_problem"}
    with pytest.raises(ItemsFailed):
        call(grpo_reward(solutions.client(), unscorable_reward=-1.0), ["p"], ["5"])


def test_what_failed_for_a_while_only_is_sent_again(solutions) -> None:
    solutions.scores = {"4": 0.4, "5": ["model_stopped", 0.5]}
    assert call(grpo_reward(solutions.client()), ["p", "p"], ["4", "5"]) == [0.4, 0.5]
    assert [item["solution"] for item in solutions.items] == ["4", "5", "5"]


def test_trl_is_told_of_steps_and_failures(solutions) -> None:
    solutions.scores = {"5": 0.5, "bad": "non_finite_score"}
    metrics, extras = {}, {}
    reward = grpo_reward(solutions.client(), on_failure="none", name="prm")
    call(reward, ["p", "p"], ["5", "bad"], log_metric=metrics.__setitem__, log_extra=extras.__setitem__)
    assert metrics == {"prm/failed": 0.5, "prm/num_steps": 2.0, "prm/no_error": 1.0}
    assert extras == {"prm_steps": ["0.98 0.95", "non_finite_score"], "prm_first_error": [None, None]}


def test_trl_is_told_nothing_by_choice(solutions) -> None:
    solutions.scores = {"5": 0.5}
    told = []
    reward = grpo_reward(solutions.client(), log=False)
    call(reward, ["p"], ["5"], log_metric=lambda *said: told.append(said), log_extra=lambda *said: told.append(said))
    assert told == []


@pytest.mark.parametrize("options", [{"on_failure": "zero"}, {"unscorable_reward": float("nan")}])
def test_options_that_cannot_work_are_refused_at_once(options) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        grpo_reward(**options)


def test_one_function_serves_event_loops_that_come_and_go(solutions) -> None:
    solutions.scores = {"5": 0.5}
    reward = grpo_reward(solutions.client())
    assert [call(reward, ["p"], ["5"]) for _ in range(3)] == [[0.5]] * 3

"""OpenRLHF's call of a reward function, and what it may find in a query."""

import pytest

from surefoot_client import ItemsFailed
from surefoot_client.trainers.openrlhf import reward_function

CHATML = "<|im_start|>user\n2 + 3?<|im_end|>\n<|im_start|>assistant\n"


def asked(prompt, label):
    return prompt.split("user\n")[1].split("<|im_end|>")[0]


@pytest.mark.parametrize(
    ("prompt", "query"),
    [
        ("2 + 3?", "2 + 3?5"),
        ("2 + 3?", "<s> 2 + 3?5</s>"),
        ("2 + 3?", "<pad><pad><s>2 + 3?5</s><pad>"),
        (CHATML, f"{CHATML}5<|im_end|>"),
        (CHATML, f"<|endoftext|>{CHATML}5<|im_end|>\n<|endoftext|>"),
    ],
)
def test_the_solution_is_what_follows_the_prompt(solutions, prompt, query) -> None:
    solutions.scores = {"5": 0.5}
    reward = reward_function(solutions.client(), problem_of=asked if "user" in prompt else lambda prompt, label: prompt)
    assert reward([query], [prompt], ["5"])["rewards"].tolist() == [0.5]
    assert solutions.items == [{"problem": "2 + 3?", "solution": "5"}]


def test_tags_that_the_policy_wrote_belong_to_the_solution(solutions) -> None:
    solutions.scores = {"<answer>5</answer>": 0.5}
    answer = reward_function(solutions.client())(["2 + 3?<answer>5</answer></s>"], ["2 + 3?"], [None])
    assert answer["scores"].tolist() == [0.5]


def test_its_log_has_a_number_for_each_sample(solutions) -> None:
    solutions.scores = {"4": 0.25, "5": 0.5}
    answer = reward_function(solutions.client())(["p4", "p5"], ["p", "p"], ["4", "5"])
    assert {key: values.tolist() for key, values in answer["extra_logs"].items()} == {
        "num_steps": [2.0, 2.0],
        "no_error": [1.0, 1.0],
    }


def test_a_problem_may_come_from_the_label(solutions) -> None:
    solutions.scores = {"5": 0.5}
    reward = reward_function(solutions.client(), problem_of=lambda prompt, label: label["problem"])
    reward([f"{CHATML}5"], [CHATML], [{"problem": "What?"}])
    assert solutions.items[0]["problem"] == "What?"


def test_a_rendered_prompt_needs_problem_of(solutions) -> None:
    with pytest.raises(ValueError, match="give problem_of"):
        reward_function(solutions.client())([f"{CHATML}5"], [CHATML], ["5"])


@pytest.mark.parametrize("query", ["5", "Hello. 2 + 3?5"])
def test_a_query_that_begins_otherwise_is_refused(solutions, query) -> None:
    with pytest.raises(ValueError, match="does not begin with its prompt"):
        reward_function(solutions.client())([query], ["2 + 3?"], ["5"])


def test_a_failure_raises(solutions) -> None:
    solutions.scores = {"5": "non_finite_score"}
    with pytest.raises(ItemsFailed):
        reward_function(solutions.client())(["p5"], ["p"], ["5"])

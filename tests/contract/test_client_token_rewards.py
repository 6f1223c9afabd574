"""The places that a real server gives to steps are those of the text that was sent, in code points."""

import pytest

from surefoot_client import ItemResult
from surefoot_client.rl import PolicyTokens, align_steps, token_rewards

COMPLETIONS = [
    "2 + 3 = 5.\nThe answer is 5.",
    "  2 + 3 = 5. \n\n\n The answer is 5.\n",
    "😀 Zuerst é: 2 + 3 = 5.\n👩‍🔬 答案是 5。\n\nОтвет: 5.",
    "2 + 3 = 5.\r\nSo e\u0301 = 5.\u2028It is 5.",
]


async def scored(client, completion: str) -> ItemResult:
    response = await client.score([{"problem": "What is 2 + 3?", "solution": completion}])
    [result] = response.raise_for_failures()
    return result


@pytest.mark.parametrize("completion", COMPLETIONS)
async def test_the_scored_text_is_the_completion(client, completion) -> None:
    assert (await scored(client, completion)).text == completion


@pytest.mark.parametrize("completion", COMPLETIONS)
async def test_each_score_stands_at_the_last_character_of_its_step(client, completion) -> None:
    result = await scored(client, completion)
    tokens = PolicyTokens(completion, [(place, place + 1) for place in range(len(completion))])
    rewards = token_rewards(result, tokens)
    assert len(result.steps) >= 2
    assert {step.span[1] - 1: step.score for step in result.steps} == {
        place: reward for place, reward in enumerate(rewards.tolist()) if reward
    }


@pytest.mark.parametrize("completion", COMPLETIONS)
async def test_all_but_white_space_belongs_to_one_step(client, completion) -> None:
    result = await scored(client, completion)
    tokens = PolicyTokens(completion, [(place, place + 1) for place in range(len(completion))])
    num_steps = align_steps([step.span for step in result.steps], tokens).covers.sum(axis=0)
    assert all(num_steps[place] == 1 for place, character in enumerate(completion) if not character.isspace())

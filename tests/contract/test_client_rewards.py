"""Rewards that the server made are those that the client makes of the same scores."""

import numpy as np
import pytest

from surefoot_client.rl import score_array, treat_rewards

SOLUTIONS = ["2 + 3 = 5\nThe answer is 5.", "2 + 3 = 6\nThe answer is 6.", "Hm.", "It is 5."]
ITEMS = [{"problem": problem, "solution": text} for problem in ("2 + 3?", "3 + 2?") for text in SOLUTIONS]
GROUPS = np.arange(len(ITEMS)) // len(SOLUTIONS)


@pytest.mark.parametrize("cap", [None, (0.05, 0.2)])
@pytest.mark.parametrize("scaling", ["none", "group", "batch"])
async def test_server_and_client_agree(client, cap, scaling) -> None:
    response = await client.score(ITEMS, rewards={"cap": cap, "scaling": scaling})
    groups = GROUPS if scaling == "group" else None
    expected = treat_rewards(score_array(response.results), cap=cap, scaling=scaling, groups=groups)
    assert [result.reward for result in response.results] == pytest.approx(expected.rewards.tolist())
    said = response.rewards
    assert (said.cap, said.scaling, said.num_rewards) == (cap, scaling, len(ITEMS))
    assert (said.num_capped, said.num_flat_groups) == (expected.num_capped, expected.num_flat_groups)
    assert (said.mean, said.std) == pytest.approx((expected.mean, expected.std))


async def test_without_the_option_there_is_no_reward(client) -> None:
    response = await client.score(ITEMS[:1])
    assert (response.rewards, response.results[0].reward) == (None, None)

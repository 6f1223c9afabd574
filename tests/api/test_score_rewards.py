"""`rewards` of `POST /score`: capped and scaled scores beside the model's own, and what was done, said."""

import pytest

SOLUTIONS = ["2 + 3 = 5\nThe answer is 5.", "2 + 3 = 6\nThe answer is 6.", "Hm."]
ITEMS = [{"problem": problem, "solution": text} for problem in ("2 + 3?", "3 + 2?") for text in SOLUTIONS]
FAILED = {"problem": "2 + 3?", "steps": []}


async def answer(api, options, items=ITEMS, **fields):
    return await api.post("/score", {"items": items, "rewards": options, **fields})


async def test_nobody_gets_rewards_who_did_not_ask(api) -> None:
    answered = await api.post("/score", {"items": ITEMS})
    assert "rewards" not in answered
    assert not any("reward" in result for result in answered["results"])


async def test_scores_stay_the_models_own(api) -> None:
    plain = await api.post("/score", {"items": ITEMS})
    treated = await answer(api, {"cap": [0.0, 0.1], "scaling": "group"})
    without = [{name: value for name, value in result.items() if name != "reward"} for result in treated["results"]]
    assert [result["score"] for result in without] == [result["score"] for result in plain["results"]]


async def test_the_answer_says_what_was_done(api) -> None:
    answered = await answer(api, {"cap": [0.0, 0.1]})
    scores = [result["score"] for result in answered["results"]]
    rewards = [min(score, 0.1) for score in scores]
    assert [result["reward"] for result in answered["results"]] == rewards
    said = answered["rewards"]
    assert (said["cap"], said["scaling"], said["num_rewards"]) == ([0.0, 0.1], "none", len(ITEMS))
    assert said["num_capped"] == sum(score > 0.1 for score in scores)
    assert said["mean"] == pytest.approx(sum(rewards) / len(rewards))


async def test_a_group_is_the_items_of_one_problem(api) -> None:
    rewards = [result["reward"] for result in (await answer(api, {"scaling": "group"}))["results"]]
    alone = [result["reward"] for result in (await answer(api, {"scaling": "batch"}, ITEMS[:3]))["results"]]
    assert rewards[:3] == pytest.approx(alone)
    assert sum(rewards[3:]) == pytest.approx(0, abs=1e-9)


async def test_earlier_turns_make_another_problem(api) -> None:
    def item(before: str, solution: str) -> dict:
        turns = [("user", before), ("assistant", "Ask."), ("user", "2 + 3?"), ("assistant", solution)]
        return {"messages": [{"role": role, "content": content} for role, content in turns]}

    answered = await answer(api, {"scaling": "group"}, [item("Hi.", SOLUTIONS[0]), item("Hello.", SOLUTIONS[1])])
    assert (answered["rewards"]["num_flat_groups"], [r["reward"] for r in answered["results"]]) == (2, [0.0, 0.0])


async def test_a_failed_item_gets_no_reward_and_changes_none(api) -> None:
    with_it = await answer(api, {"scaling": "group"}, [ITEMS[0], FAILED, *ITEMS[1:3]])
    without = await answer(api, {"scaling": "group"}, ITEMS[:3])
    assert "reward" not in with_it["results"].pop(1)
    assert [r["reward"] for r in with_it["results"]] == pytest.approx([r["reward"] for r in without["results"]])
    assert with_it["rewards"]["num_rewards"] == 3


async def test_combined_checks_are_what_is_treated(api) -> None:
    answered = await answer(api, {}, checks=["arithmetic"], combine_checks=True)
    assert [result["reward"] for result in answered["results"]] == [r["checked"]["score"] for r in answered["results"]]


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"cap": [0.9, 0.1]}, "rewards.cap"),
        ({"cap": [0.5, 0.5]}, "rewards.cap"),
        ({"cap": [0.5]}, "rewards.cap"),
        ({"cap": ["0", 1]}, "rewards.cap[0]"),
        ({"scaling": "whiten"}, "rewards.scaling"),
        ({"clip": [0, 1]}, "rewards.clip"),
        ([], "rewards"),
    ],
)
async def test_options_that_make_no_sense_are_refused(api, options, param) -> None:
    error = await api.refused("/score", {"items": ITEMS, "rewards": options}, 422)
    assert error["param"].startswith(param)

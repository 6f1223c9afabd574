"""What POST /pooling promises clients of process reward models: a row a tag, the same scores as /score."""

import asyncio
import base64
import struct

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.profiles import Profile, load_profile

PATH = "/pooling"
PROBLEM = "Ann has 2 apples and buys 3. How many has she?"
STEPS = ["She starts with 2.", "So 2 + 3 = 5.", "The answer is 5."]
TAGGED = "".join(f"{step}<extra_0>" for step in STEPS)
SYSTEM = {"role": "system", "content": "Please reason step by step, and put your final answer within \\boxed{}."}
NAMES = {
    "qwen": "qwen2.5-math-prm",
    "shepherd": "math-shepherd",
    "skywork": "skywork-o1-open-prm",
    "contrast": "embedded-prm",
    "classes": "prm800k",
    "signed": "pure-prm",
    "outcome": "sequence-classification",
    "judge": "embedded-orm",
}


def profiles() -> dict[str, Profile]:
    found = {name: load_profile(profile) for name, profile in NAMES.items()}
    strict = found["classes"].model_dump()
    strict["readout"]["neutral_is_positive"] = False
    return found | {"strict": Profile.model_validate(strict)}


@pytest.fixture
async def pooling(serve):
    """Families with and without a tag; the Qwen one is the default."""
    columns = {"classes": 3, "strict": 3, "skywork": 1}
    return await serve(profiles=profiles(), backend=FakeBackend(num_columns=columns, max_input_tokens=600))


def turns(solution=TAGGED, problem=PROBLEM) -> list[dict]:
    return [{"role": "user", "content": problem}, {"role": "assistant", "content": solution}]


async def rows(api, solution=TAGGED, **fields) -> list[list[float]]:
    answer = await api.post(PATH, {"messages": turns(solution)} | fields)
    return answer["data"][0]["data"]


async def native(api, model="qwen", **item) -> dict:
    answer = await api.post("/score", {"model": model, "problem": PROBLEM} | (item or {"steps": STEPS}))
    return answer["results"][0]


async def scores(api, model="qwen", **item) -> list[float]:
    return [step["score"] for step in (await native(api, model, **item))["steps"]]


def last(found: list[list[float]]) -> list[float]:
    return [row[-1] for row in found]


async def test_the_answer_has_vllms_fields(pooling) -> None:
    answer = await pooling.post(PATH, {"messages": turns()})
    assert set(answer) == {"id", "object", "created", "model", "data", "usage"}
    assert (answer["object"], type(answer["created"]), answer["model"]) == ("list", int, "qwen")


async def test_there_is_one_datum(pooling) -> None:
    [datum] = (await pooling.post(PATH, {"messages": turns()}))["data"]
    assert (set(datum), datum["index"], datum["object"]) == ({"index", "object", "data"}, 0, "pooling")


async def test_each_tag_ends_a_step_with_the_native_score(pooling) -> None:
    assert last(await rows(pooling)) == await scores(pooling)


async def test_the_first_value_is_the_probability_of_being_wrong(pooling) -> None:
    negative = [step["probabilities"]["negative"] for step in (await native(pooling))["steps"]]
    assert [row[0] for row in await rows(pooling)] == negative


async def test_tags_that_are_words_end_steps_too(pooling) -> None:
    solution = "Step 1: 2 + 3 = 5. ки\nStep 2: The answer is 5. ки"
    steps = ["Step 1: 2 + 3 = 5.", "Step 2: The answer is 5."]
    assert last(await rows(pooling, solution, model="shepherd")) == await scores(pooling, "shepherd", steps=steps)


@pytest.mark.parametrize("model", ["qwen", "skywork", "contrast", "signed"])
async def test_without_a_tag_the_profile_splits(pooling, model) -> None:
    solution = "2 + 3 = 5.\n\nSo it is 5.\n\n\nThe answer is 5."
    num_steps = len((await native(pooling, model, solution=solution))["steps"])
    assert len(await rows(pooling, solution, model=model)) == num_steps == 3


async def test_without_a_tag_the_scores_are_the_native_ones(pooling) -> None:
    solution = "2 + 3 = 5.\n\nThe answer is 5."
    assert last(await rows(pooling, solution)) == await scores(pooling, solution=solution)


async def test_text_behind_the_last_tag_gets_no_row_and_moves_none(pooling) -> None:
    assert await rows(pooling, TAGGED + "And then") == await rows(pooling)


async def test_a_blank_step_gets_its_row(pooling) -> None:
    found = await rows(pooling, TAGGED + "<extra_0>")
    assert (len(found), found[:3]) == (4, await rows(pooling))


async def test_the_profiles_system_message_may_be_sent_along(pooling) -> None:
    assert await rows(pooling, messages=[SYSTEM, *turns()]) == await rows(pooling)


async def test_another_system_message_stands_instead_of_the_profiles(pooling) -> None:
    assert await rows(pooling, messages=[SYSTEM | {"content": "Hm."}, *turns()]) != await rows(pooling)


async def test_a_tag_in_the_users_turn_is_text(pooling) -> None:
    problem = f"{PROBLEM}<extra_0>"
    assert last(await rows(pooling, messages=turns(problem=problem))) == await scores(
        pooling, problem=problem, steps=STEPS
    )


async def test_a_tag_in_an_earlier_turn_is_text(pooling) -> None:
    earlier = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello<extra_0>"}]
    assert len(await rows(pooling, messages=[*earlier, *turns()])) == len(STEPS)


async def test_the_tag_of_another_family_is_text(pooling) -> None:
    solution = "2 + 3 = 5. ки\nThe answer is 5. ки<extra_0>"
    steps = [solution.removesuffix("<extra_0>")]
    assert last(await rows(pooling, solution)) == await scores(pooling, steps=steps)


async def test_on_other_routes_the_tag_is_text(pooling) -> None:
    answer = await pooling.post("/score", {"model": "qwen", "messages": turns()})
    assert len(answer["results"][0]["steps"]) == 1


async def test_content_may_come_in_parts(pooling) -> None:
    parts = [{"type": "text", "text": TAGGED}]
    assert await rows(pooling, parts) == await rows(pooling)


async def test_without_activation_the_values_are_the_raw_ones(pooling) -> None:
    raw = [step["raw"] for step in (await native(pooling))["steps"]]
    assert await rows(pooling, use_activation=False) == raw


async def test_raw_values_too_have_the_positive_one_last(pooling) -> None:
    raw = [step["raw"] for step in (await native(pooling, "contrast", solution="It is 5."))["steps"]]
    assert await rows(pooling, "It is 5.", model="contrast", use_activation=False) == [raw[0][::-1]]


async def test_a_neutral_step_counts_as_right_where_the_profile_says_so(pooling) -> None:
    [step] = (await native(pooling, "classes", solution="It is 5."))["steps"]
    assert await rows(pooling, "It is 5.", model="classes") == [[step["probabilities"]["negative"], step["score"]]]


async def test_a_neutral_step_counts_as_wrong_where_the_profile_says_so(pooling) -> None:
    [step] = (await native(pooling, "strict", solution="It is 5."))["steps"]
    [[wrong, right]] = await rows(pooling, "It is 5.", model="strict")
    assert (right, wrong) == (step["score"], pytest.approx(1 - step["score"]))


async def test_on_a_signed_scale_the_rows_are_the_probabilities(pooling) -> None:
    [step] = (await native(pooling, "signed", solution="It is 5."))["steps"]
    expected = [step["probabilities"]["negative"], step["probabilities"]["positive"]]
    assert await rows(pooling, "It is 5.", model="signed") == [expected]


async def test_one_value_a_step_is_a_row_of_one(pooling) -> None:
    solution = "2 + 3 = 5.\nIt is 5."
    expected = [[score] for score in await scores(pooling, "skywork", solution=solution)]
    assert await rows(pooling, solution, model="skywork") == expected


@pytest.mark.parametrize("model", ["outcome", "judge"])
async def test_an_outcome_model_gives_one_row(pooling, model) -> None:
    result = await native(pooling, model, solution="It is 5.")
    assert await rows(pooling, "It is 5.", model=model) == [[result["score"]]]


async def test_raw_values_of_an_outcome_model_have_the_positive_one_last(pooling) -> None:
    result = await native(pooling, "judge", solution="It is 5.")
    assert await rows(pooling, "It is 5.", model="judge", use_activation=False) == [result["raw"][::-1]]


@pytest.mark.parametrize(("endianness", "order"), [("native", "="), ("little", "<"), ("big", ">")])
async def test_base64_holds_the_rows_as_floats(pooling, endianness, order) -> None:
    flat = [value for row in await rows(pooling) for value in row]
    text = await rows(pooling, encoding_format="base64", endianness=endianness)
    assert struct.unpack(f"{order}{len(flat)}f", base64.b64decode(text)) == pytest.approx(flat, abs=1e-7)


async def test_usage_counts_the_tokens_that_were_read(pooling) -> None:
    num_tokens = (await native(pooling))["num_tokens"]
    usage = (await pooling.post(PATH, {"messages": turns()}))["usage"]
    assert usage == {
        "prompt_tokens": num_tokens,
        "total_tokens": num_tokens,
        "completion_tokens": 0,
        "prompt_tokens_details": None,
    }


async def test_headers_say_what_the_request_cost(pooling) -> None:
    response = await pooling.http.post(PATH, json={"messages": turns()})
    assert response.headers["x-scored-tokens"] == str(response.json()["usage"]["prompt_tokens"])


async def test_what_vllm_ignores_or_does_not_need_is_ignored(pooling) -> None:
    further = {"user": "u", "priority": 3, "task": "token_classify", "add_generation_prompt": True, "x": 1}
    nulls = dict.fromkeys(["input", "model", "use_activation", "truncate_prompt_tokens"])
    assert await rows(pooling, **further, **nulls) == await rows(pooling)


@pytest.mark.parametrize(
    ("headers", "fields", "expected"),
    [
        ({"x-request-id": "h1"}, {}, "pooling-h1"),
        ({}, {"request_id": "b1"}, "pooling-b1"),
        ({"x-request-id": "h1"}, {"request_id": "b1"}, "pooling-h1"),
    ],
)
async def test_the_id_is_the_callers(pooling, headers, fields, expected) -> None:
    assert (await pooling.post(PATH, {"messages": turns()} | fields, headers=headers))["id"] == expected


@pytest.mark.parametrize("name", [None, "", "qwen"])
async def test_the_first_model_is_the_default(pooling, name) -> None:
    assert (await pooling.post(PATH, {"messages": turns(), "model": name}))["model"] == "qwen"


async def test_a_hub_id_is_a_name(serve) -> None:
    api = await serve(profiles={"prm": load_profile("embedded-prm"), "Qwen/PRM-7B": load_profile(NAMES["qwen"])})
    assert last(await rows(api, model="Qwen/PRM-7B")) == await scores(api, "Qwen/PRM-7B")


async def test_each_of_many_posts_gets_its_own_answer(pooling) -> None:
    solutions = [f"{number} + 1<extra_0>It is {number + 1}.<extra_0>" for number in range(24)]
    together = await asyncio.gather(*(rows(pooling, solution) for solution in solutions))
    assert together == [await rows(pooling, solution) for solution in solutions]

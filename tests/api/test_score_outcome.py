"""What POST /score promises of an outcome model, and of scales that are not probabilities."""

import math

import pytest

PROBLEM = "Ann has 2 apples and buys 3. How many has she?"
STEPS = ["She starts with 2.", "She buys 3, so 2 + 3 = 5.", "The answer is 5."]
BODY = {"problem": PROBLEM, "steps": STEPS, "model": "orm"}


async def result_of(api, **fields) -> dict:
    [result] = (await api.post("/score", BODY | fields))["results"]
    assert "error" not in result, result
    return result


async def test_an_outcome_model_answers_with_one_score(api) -> None:
    result = await result_of(api)
    assert (result["kind"], type(result["score"])) == ("outcome", float)


async def test_process_fields_are_absent(api) -> None:
    assert set(await result_of(api)) == {"index", "kind", "text", "score", "raw", "num_tokens", "cached_tokens"}


async def test_a_contrast_score_is_the_softmax_of_the_raw_values(api) -> None:
    result = await result_of(api)
    positive, negative = (math.exp(value) for value in result["raw"])
    assert result["score"] == pytest.approx(positive / (positive + negative))


async def test_an_unbounded_score_is_the_raw_value(api) -> None:
    result = await result_of(api, model="reward")
    assert [result["score"]] == result["raw"]


async def test_the_trace_has_a_value_after_each_step(api) -> None:
    assert len((await result_of(api, trace=True))["trace"]) == len(STEPS)


async def test_the_trace_ends_with_the_score(api) -> None:
    result = await result_of(api, trace=True)
    assert result["trace"][-1] == result["score"]


@pytest.mark.parametrize("count", [1, 2])
async def test_the_trace_after_k_steps_is_the_score_of_those_steps(api, count) -> None:
    part = await result_of(api, steps=STEPS[:count])
    assert (await result_of(api, trace=True))["trace"][count - 1] == part["score"]


async def test_the_trace_shows_in_the_usage(api) -> None:
    plain = await api.post("/score", BODY)
    traced = await api.post("/score", BODY | {"trace": True})
    assert traced["usage"]["prompt_tokens"] > 2 * plain["usage"]["prompt_tokens"]


async def test_the_score_is_the_same_with_and_without_a_trace(api) -> None:
    assert (await result_of(api, trace=True))["score"] == (await result_of(api))["score"]


async def test_a_process_model_has_no_trace(api) -> None:
    assert "trace" not in await result_of(api, model="prm", trace=True)


@pytest.mark.parametrize("aggregation", ["prod", "sum_logprob"])
async def test_an_unmapped_scale_has_no_product(api, aggregation) -> None:
    error = await api.refused("/score", BODY | {"model": "raw", "aggregation": aggregation}, 422)
    assert (error["code"], error["param"]) == ("aggregation_not_defined", "aggregation")


@pytest.mark.parametrize("aggregation", ["min", "mean", "last"])
async def test_an_unmapped_scale_has_the_other_aggregates(api, aggregation) -> None:
    assert (await result_of(api, model="raw", aggregation=aggregation))["kind"] == "outcome"


async def test_a_mapped_scale_may_be_asked_for_a_product(api) -> None:
    assert (await result_of(api, model="reward", aggregation="prod"))["kind"] == "outcome"


async def test_the_last_assistant_turn_is_what_is_scored(api) -> None:
    turns = [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "1?"},
        {"role": "assistant", "content": "one"},
        {"role": "user", "content": PROBLEM},
        {"role": "assistant", "content": "five"},
    ]
    [result] = (await api.post("/score", {"model": "reward", "messages": turns}))["results"]
    assert result["text"] == "five"

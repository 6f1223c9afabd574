"""What POST /rerank promises of the models that answer, of several groups in a request, and of what it costs."""

import math
from typing import get_args

import pytest

from surefoot.domain import Strategy

PROBLEM = "Ann has 2 apples and buys 3. How many has she?"
CANDIDATES = ["2 + 3 = 5.\nThe answer is 5.", "2 * 3 = 6.\nThe answer is 6.", "So 5.\nThe answer is 5.0."]


def group(**fields):
    return {"problem": PROBLEM, "candidates": CANDIDATES} | fields


def by_index(answer) -> list[dict]:
    return sorted(answer["results"], key=lambda result: result["index"])


async def scores_of(api, model) -> list[float]:
    items = [{"problem": PROBLEM, "solution": candidate} for candidate in CANDIDATES]
    return [result["score"] for result in (await api.post("/score", {"items": items, "model": model}))["results"]]


async def test_models_are_named_by_role(api) -> None:
    answer = await api.post("/rerank", group(strategy="process_outcome"))
    assert answer["models"] == {"process": "prm", "outcome": "orm"}


async def test_fingerprints_are_named_by_model(api) -> None:
    answer = await api.post("/rerank", group(strategy="process_outcome"))
    assert answer["fingerprints"] == {"prm": "fake-embedded-prm", "orm": "fake-embedded-orm"}


async def test_an_outcome_model_is_used_by_name(api) -> None:
    scores = await scores_of(api, "reward")
    answer = await api.post("/rerank", group(strategy="outcome", outcome_model="reward"))
    assert [result["relevance_score"] for result in by_index(answer)] == scores


async def test_a_named_model_is_used_even_where_the_strategy_needs_none(api) -> None:
    scores = await scores_of(api, "prm")
    answer = await api.post("/rerank", group(strategy="majority", model="prm"))
    assert [result["score"] for result in by_index(answer)] == scores


@pytest.mark.parametrize("strategy", ["outcome_weighted", "process_outcome"])
async def test_scores_without_a_map_cannot_be_weights(api, strategy) -> None:
    error = await api.refused("/rerank", group(strategy=strategy, outcome_model="raw"), 422)
    assert error["code"] == "aggregation_not_defined"


async def test_mapped_scores_are_weights_between_zero_and_one(api) -> None:
    answer = await api.post("/rerank", group(strategy="outcome_weighted", outcome_model="reward"))
    scores = await scores_of(api, "reward")
    expected = sum(1 / (1 + math.exp(-scores[index])) for index in (0, 2))
    assert {tuple(vote["indices"]): vote["weight"] for vote in answer["votes"]}[0, 2] == pytest.approx(expected)


async def test_an_unmapped_score_may_rank_by_itself(api) -> None:
    scores = await scores_of(api, "raw")
    answer = await api.post("/rerank", group(strategy="outcome", outcome_model="raw"))
    assert [result["index"] for result in answer["results"]] == sorted(range(3), key=lambda index: -scores[index])


async def test_usage_counts_both_models(api) -> None:
    usages = [
        (await api.post("/rerank", group(strategy=strategy)))["usage"]["prompt_tokens"]
        for strategy in ("process", "outcome", "process_outcome")
    ]
    assert usages[0] + usages[1] == usages[2]


async def test_headers_say_what_the_request_cost(api) -> None:
    response = await api.http.post("/rerank", json=group())
    assert response.headers["x-scored-tokens"] == str(response.json()["usage"]["prompt_tokens"])


async def test_groups_are_answered_in_order(api) -> None:
    other = {"problem": "4?", "candidates": ["It is 4."]}
    answer = await api.post("/rerank", {"items": [group(), other]})
    alone = [await api.post("/rerank", body) for body in (group(), other)]
    assert [found["results"] for found in answer["groups"]] == [found["results"] for found in alone]


async def test_groups_replace_the_top_level_results(api) -> None:
    assert not {"results", "best", "votes"} & set(await api.post("/rerank", {"items": [group()]}))


async def test_a_failed_group_leaves_its_neighbours_alone(api) -> None:
    answer = await api.post("/rerank", {"items": [group(problem=""), group()]})
    assert [found.get("error", {}).get("code") for found in answer["groups"]] == ["empty_problem", None]


@pytest.mark.parametrize("strategy", get_args(Strategy))
async def test_every_strategy_answers(api, strategy) -> None:
    answer = await api.post("/rerank", group(strategy=strategy))
    assert (answer["strategy"], len(answer["results"])) == (strategy, 3)


async def test_the_native_prefix_gives_the_same_answer(api) -> None:
    native = await api.post("/surefoot/v1/rerank", group())
    assert native["results"] == (await api.post("/rerank", group()))["results"]

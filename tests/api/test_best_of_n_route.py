"""What POST /best_of_n promises: candidates as /sample gives them, ranked as /rerank ranks them, and the pick."""

import pytest

from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.wiring.fake_service import FAKE_TEXTS

PROBLEM = "2 + 3?"


def body(**fields):
    return {"problem": PROBLEM, "sampling": {"n": 3}} | fields


async def test_candidates_are_those_of_sample(api) -> None:
    drawn = await api.post("/sample", {"problem": PROBLEM, "n": 3})
    assert (await api.post("/best_of_n", body()))["candidates"] == drawn["candidates"]


async def test_eight_candidates_are_the_default(api) -> None:
    assert len((await api.post("/best_of_n", {"problem": PROBLEM}))["candidates"]) == 8


@pytest.mark.parametrize("strategy", ["process", "outcome", "majority", "process_weighted", "process_outcome"])
async def test_the_ranking_is_that_of_rerank(api, strategy) -> None:
    ranked = await api.post("/rerank", {"problem": PROBLEM, "candidates": list(FAKE_TEXTS), "strategy": strategy})
    found = (await api.post("/best_of_n", body(ranking={"strategy": strategy})))["ranking"]
    assert {name: found[name] for name in ("results", "best", "votes", "models")} == {
        name: ranked[name] for name in ("results", "best", "votes", "models")
    }


async def test_the_pick_is_the_best_candidates_text(api) -> None:
    found = await api.post("/best_of_n", body())
    assert found["text"] == found["candidates"][found["best"]]["text"]


async def test_the_answer_is_the_picks(api) -> None:
    found = await api.post("/best_of_n", body())
    assert found["answer"] == found["candidates"][found["best"]]["answer"]


async def test_best_is_that_of_the_ranking(api) -> None:
    found = await api.post("/best_of_n", body())
    assert found["best"] == found["ranking"]["best"]


async def test_abstaining_leaves_the_pick_empty(api) -> None:
    found = await api.post("/best_of_n", body(ranking={"abstain_below": 1.5}))
    assert (found["best"], found["answer"], found["text"]) == (None, None, None)


async def test_candidates_that_cannot_be_scored_are_not_picked(serve) -> None:
    api = await serve(sampler=FakeSampler(["", "The answer is 5."]))
    found = await api.post("/best_of_n", body(sampling={"n": 2}))
    assert (found["best"], found["ranking"]["results"][-1]["error"]["code"]) == (1, "no_steps")


async def test_usage_tells_sampled_and_scored_tokens_apart(api) -> None:
    response = await api.http.post("/best_of_n", json=body())
    usage = response.json()["usage"]
    assert usage["completion_tokens"] == sum(map(len, FAKE_TEXTS))
    assert response.headers["x-scored-tokens"] == str(usage["scoring"]["prompt_tokens"])


async def test_a_conversation_is_scored_with_its_earlier_turns(api) -> None:
    turns = [("user", "Hi"), ("assistant", "Hello"), ("user", PROBLEM)]
    messages = [{"role": role, "content": content} for role, content in turns]
    ranked = await api.post("/rerank", {"messages": messages, "candidates": list(FAKE_TEXTS)})
    found = await api.post("/best_of_n", {"messages": messages, "sampling": {"n": 3}})
    assert found["ranking"]["results"] == ranked["results"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"sampling": {"n": 0}}, "sampling.n"),
        ({"sampling": {"n": 10**6}}, "sampling.n"),
        ({"sampling": {"n": 2, "temperature": 0}}, "sampling"),
        ({"sampling": {"m": 2}}, "sampling.m"),
        ({"ranking": {"strategy": "best"}}, "ranking.strategy"),
        ({"ranking": {"top_n": 0}}, "ranking.top_n"),
        ({"sampler": {}}, "sampler"),
    ],
)
async def test_a_bad_field_is_named(api, fields, param) -> None:
    error = await api.refused("/best_of_n", body(**fields), 422)
    assert (error["code"], error["param"]) == ("invalid_request", param)


async def test_an_unknown_model_is_refused_before_anything_is_sampled(api) -> None:
    await api.refused("/best_of_n", body(ranking={"model": "other"}), 404)
    assert api.parts.sampler.prompts == []


async def test_a_sampler_that_is_down_answers_503(api) -> None:
    api.parts.sampler.fails_with = "the engine did not start"
    assert (await api.refused("/best_of_n", body(), 503))["code"] == "sampler_unavailable"


async def test_the_native_prefix_gives_the_same_pick(api) -> None:
    native = await api.post("/surefoot/v1/best_of_n", body())
    assert native["text"] == (await api.post("/best_of_n", body()))["text"]


async def test_what_cannot_be_ranked_is_refused_before_anything_is_sampled(api) -> None:
    ranking = {"strategy": "outcome_weighted", "outcome_model": "raw"}
    error = await api.refused("/best_of_n", body(ranking=ranking), 422)
    assert (error["code"], error["param"]) == ("aggregation_not_defined", "strategy")
    assert api.parts.sampler.prompts == []

"""Early stop over HTTP: what is saved is told, and only votes can end early."""

import pytest

from surefoot.sampling.fake_sampler import FakeSampler


def body(**fields):
    return {"problem": "2 + 3?", "sampling": {"n": 16}, "ranking": {"strategy": "majority"}} | fields


async def found(serve, texts, **fields):
    api = await serve(sampler=FakeSampler(texts))
    return await api.post("/best_of_n", body(**fields))


async def test_samples_are_saved(serve) -> None:
    answer = await found(serve, ["The answer is 5."], early_stop={})
    assert answer["early_stop"] == {
        "stopped": True, "samples_drawn": 4, "samples_saved": 12, "confidence": pytest.approx(1 - 0.5**5),
    }  # fmt: skip


async def test_only_the_drawn_candidates_are_answered_and_paid_for(serve) -> None:
    answer = await found(serve, ["The answer is 5."], early_stop={})
    assert (len(answer["candidates"]), answer["usage"]["completion_tokens"]) == (4, 4 * len("The answer is 5."))


async def test_the_asked_confidence_and_minimum_count(serve) -> None:
    answer = await found(serve, ["The answer is 5."], early_stop={"confidence": 0.6, "min_n": 9})
    assert answer["early_stop"]["samples_drawn"] == 9


async def test_a_close_vote_saves_nothing(serve) -> None:
    answer = await found(serve, ["The answer is 5.", "The answer is 6."], early_stop={})
    assert (answer["early_stop"]["stopped"], answer["early_stop"]["samples_saved"]) == (False, 0)


async def test_without_early_stop_nothing_is_said_of_it(serve) -> None:
    assert "early_stop" not in await found(serve, ["The answer is 5."])


async def test_indices_are_those_of_the_drawn_candidates(serve) -> None:
    class LastFirst(FakeSampler):
        async def sample(self, prompt, options):
            for candidate in reversed([candidate async for candidate in super().sample(prompt, options)]):
                yield candidate

    api = await serve(sampler=LastFirst(["The answer is 5."]))
    answer = await api.post("/best_of_n", body(early_stop={}))
    indices = [candidate["index"] for candidate in answer["candidates"]]
    assert (indices, answer["best"]) == ([12, 13, 14, 15], 12)
    assert [result["index"] for result in answer["ranking"]["results"]] == indices
    assert answer["ranking"]["votes"][0]["indices"] == indices


@pytest.mark.parametrize("strategy", ["process", "outcome", "process_outcome"])
async def test_a_strategy_that_does_not_vote_cannot_stop_early(api, strategy) -> None:
    error = await api.refused("/best_of_n", body(ranking={"strategy": strategy}, early_stop={}), 422)
    assert (error["code"], error["param"], api.parts.sampler.prompts) == ("invalid_request", "early_stop", [])


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"confidence": 0.5}, "early_stop.confidence"),
        ({"confidence": 1.0}, "early_stop.confidence"),
        ({"min_n": 0}, "early_stop.min_n"),
        ({"n": 3}, "early_stop.n"),
    ],
)
async def test_a_bad_field_is_named(api, fields, param) -> None:
    assert (await api.refused("/best_of_n", body(early_stop=fields), 422))["param"] == param

"""POST /score and /rerank with a generative verifier among the models."""

import asyncio

import pytest

from surefoot.profiles import load_profile
from surefoot.sampling.fake_sampler import FakeSampler

CRITIQUE = "Step 1 adds up.\nIs the solution correct? Yes"
BODY = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"], "model": "critic"}


@pytest.fixture
async def critic(serve):
    """A service whose only model is a verifier; it takes the sampler that writes for it."""

    async def build(sampler: FakeSampler):
        return await serve(profiles={"critic": load_profile("thinkprm")}, sampler=sampler)

    return build


async def test_it_answers_as_an_outcome_model(critic) -> None:
    (result,) = (await (await critic(FakeSampler([CRITIQUE]))).post("/score", BODY))["results"]
    assert set(result) == {"index", "kind", "text", "score", "raw", "num_tokens", "cached_tokens"}
    assert (result["kind"], len(result["raw"]), 0 < result["score"] < 1) == ("outcome", 2, True)


async def test_it_ranks_candidates(critic) -> None:
    api = await critic(FakeSampler([CRITIQUE]))
    body = {"problem": "2 + 3?", "candidates": ["It is 5.", "It is 6."], "strategy": "outcome"}
    scores = [result["relevance_score"] for result in (await api.post("/rerank", body))["results"]]
    assert len(set(scores)) == 2
    assert scores == sorted(scores, reverse=True)


async def test_a_generator_that_is_down_is_a_503(critic) -> None:
    sampler = FakeSampler([CRITIQUE])
    sampler.fails_with = "out of memory"
    assert (await (await critic(sampler)).refused("/score", BODY, 503))["code"] == "sampler_unavailable"


async def test_a_generator_that_breaks_down_is_the_items_error(critic) -> None:
    sampler = FakeSampler([CRITIQUE])
    sampler.breaks_after = 0
    (result,) = (await (await critic(sampler)).post("/score", BODY))["results"]
    assert result["error"]["code"] == "backend_failed"


async def test_a_client_that_leaves_cancels_the_sampler(critic, raw_call) -> None:
    sampler = FakeSampler([CRITIQUE], hold=True)
    api = await critic(sampler)
    call = raw_call("/score", BODY)
    running = asyncio.create_task(call.run(api.app))
    await api.until(lambda: len(sampler.prompts) == 1)
    call.disconnect.set()
    async with asyncio.timeout(5):
        await running
    assert sampler.num_cancelled == 1

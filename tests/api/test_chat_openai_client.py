"""OpenAI's own Python client on top of the app, in process: it needs another base URL and nothing else."""

import asyncio

import openai
import pytest

from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.scheduling.limits import SchedulerLimits

MESSAGES = [{"role": "user", "content": "2 + 3?"}]
ITEM = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"]}


def connected(api) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url="http://test/v1", api_key="none", max_retries=0, http_client=api.http)


async def ask(api, **fields):
    chosen = {"model": "surefoot", "messages": MESSAGES, "extra_body": {"n_candidates": 3}} | fields
    return await connected(api).chat.completions.create(**chosen)


async def picked(api) -> str:
    return (await api.post("/best_of_n", {"messages": MESSAGES, "sampling": {"n": 3}}))["text"]


async def test_it_reads_the_choice(api) -> None:
    assert (await ask(api)).choices[0].message.content == await picked(api)


async def test_it_reads_the_usage(api) -> None:
    usage = (await ask(api)).usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0


async def test_it_gives_the_scores_as_extra_fields(api) -> None:
    completion = await ask(api, extra_body={"n_candidates": 3, "strategy": "majority"})
    assert (completion.surefoot["strategy"], completion.choices[0].surefoot["relevance_score"]) == ("majority", 2 / 3)


async def test_it_sends_content_parts(api) -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "2 + 3?"}]}]
    assert (await ask(api, messages=messages)).choices[0].message.content == await picked(api)


async def test_it_streams_the_choice(api) -> None:
    chunks = [chunk async for chunk in await ask(api, stream=True)]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == await picked(api)


async def test_it_streams_the_usage(api) -> None:
    chunks = [chunk async for chunk in await ask(api, stream=True, stream_options={"include_usage": True})]
    assert chunks[-1].usage == (await ask(api)).usage


async def test_a_generator_that_is_not_there_is_not_found(api) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        await ask(api, model="gpt-4o")
    assert (caught.value.code, caught.value.param) == ("generator_not_found", "model")


async def test_a_part_that_is_no_text_cannot_be_processed(api) -> None:
    parts = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        await ask(api, messages=[{"role": "user", "content": parts}])
    assert (caught.value.code, caught.value.param) == ("invalid_request", "messages[0].content")


async def test_a_full_queue_is_a_rate_limit(serve) -> None:
    api = await serve(queue=SchedulerLimits(max_queue_items=1))
    api.parts.backend.hold()
    running = asyncio.create_task(api.http.post("/score", json=ITEM))
    await api.until(lambda: len(api.parts.backend.batches) == 1)
    waiting = asyncio.create_task(api.http.post("/score", json=ITEM))
    await api.until(lambda: api.fake.scheduler.snapshot().num_requests == 1)
    with pytest.raises(openai.RateLimitError) as caught:
        await ask(api)
    api.parts.backend.release()
    await asyncio.gather(running, waiting)
    assert caught.value.code == "queue_full"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_generator_that_is_down_is_a_servers_error(api, stream) -> None:
    api.parts.sampler.fails_with = "the engine did not start"
    with pytest.raises(openai.InternalServerError) as caught:
        await ask(api, stream=stream)
    assert (caught.value.status_code, caught.value.code) == (503, "sampler_unavailable")


async def test_an_error_in_mid_stream_is_raised(serve) -> None:
    api = await serve(sampler=FakeSampler([""]))
    stream = await ask(api, stream=True)
    with pytest.raises(openai.APIError) as caught:
        [chunk async for chunk in stream]
    assert (caught.value.code, caught.value.message) == ("no_steps", "the candidate is empty")

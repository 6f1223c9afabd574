"""What a streamed POST /v1/chat/completions promises: OpenAI's chunks, together what the plain answer says."""

import asyncio
import json

from surefoot.sampling.fake_sampler import FakeSampler

PATH = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "2 + 3?"}]


def body(**fields):
    return {"messages": MESSAGES, "n_candidates": 3, "stream": True} | fields


async def lines(api, **fields) -> list[str]:
    response = await api.http.post(PATH, json=body(**fields))
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    blocks = response.text.removesuffix("\n\n").split("\n\n")
    assert all(block.startswith("data: ") and "\n" not in block for block in blocks)
    return [block.removeprefix("data: ") for block in blocks]


async def chunks(api, **fields) -> list[dict]:
    *told, end = await lines(api, **fields)
    assert end == "[DONE]"
    return [json.loads(line) for line in told]


def untimed(selection: dict) -> dict:
    return {name: value for name, value in selection.items() if name != "timing"}


async def test_all_chunks_have_one_head(api) -> None:
    heads = [{name: chunk[name] for name in ("id", "object", "created", "model")} for chunk in await chunks(api)]
    assert heads == [heads[0]] * 3
    assert (heads[0]["object"], heads[0]["model"]) == ("chat.completion.chunk", "default")


async def test_role_text_and_end_follow_each_other(api) -> None:
    choices = [chunk["choices"][0] for chunk in await chunks(api)]
    text = (await api.post(PATH, body(stream=False)))["choices"][0]["message"]["content"]
    assert [(choice["delta"], choice["finish_reason"]) for choice in choices] == [
        ({"role": "assistant", "content": ""}, None),
        ({"content": text}, None),
        ({}, "stop"),
    ]


async def test_the_last_chunk_has_the_choices_scores(api) -> None:
    plain = await api.post(PATH, body(stream=False))
    last = (await chunks(api))[-1]
    assert last["choices"][0]["surefoot"] == plain["choices"][0]["surefoot"]


async def test_the_last_chunk_has_the_scores_of_all(api) -> None:
    plain = await api.post(PATH, body(stream=False))
    assert untimed((await chunks(api))[-1]["surefoot"]) == untimed(plain["surefoot"])


async def test_every_choice_is_told_by_its_index(api) -> None:
    plain = await api.post(PATH, body(stream=False, n=3))
    texts = dict.fromkeys(range(3), "")
    for chunk in await chunks(api, n=3):
        [choice] = chunk["choices"]
        texts[choice["index"]] += choice["delta"].get("content", "")
    assert list(texts.values()) == [choice["message"]["content"] for choice in plain["choices"]]


async def test_usage_comes_last_where_it_is_asked_for(api) -> None:
    last = (await chunks(api, stream_options={"include_usage": True}))[-1]
    assert (last["choices"], last["usage"]) == ([], (await api.post(PATH, body(stream=False)))["usage"])


async def test_usage_is_left_out_otherwise(api) -> None:
    assert all("usage" not in chunk for chunk in await chunks(api))


async def test_the_role_is_told_before_anything_is_drawn(serve, raw_call) -> None:
    api = await serve(sampler=FakeSampler(["5"], hold=True))
    call = raw_call(PATH, body())
    running = asyncio.create_task(call.run(api.app))
    await api.until(lambda: any(b'"role": "assistant"' in message.get("body", b"") for message in call.sent))
    call.disconnect.set()
    async with asyncio.timeout(5):
        await running


async def test_a_client_that_leaves_cancels_the_sampler(serve, raw_call) -> None:
    api = await serve(sampler=FakeSampler(["5"], hold=True))
    call = raw_call(PATH, body())
    running = asyncio.create_task(call.run(api.app))
    await api.until(lambda: len(api.parts.sampler.prompts) == 1)
    call.disconnect.set()
    async with asyncio.timeout(5):
        await running
    assert api.parts.sampler.num_cancelled == 1


async def test_an_error_in_mid_stream_is_the_last_word(serve) -> None:
    api = await serve(sampler=FakeSampler([""]))
    told = await lines(api)
    error = json.loads(told[-1])["error"]
    assert (len(told), error["code"], set(error)) == (2, "no_steps", {"code", "message", "type", "param"})


async def test_a_generator_that_is_down_is_told_by_the_status(api) -> None:
    api.parts.sampler.fails_with = "the engine did not start"
    assert (await api.refused(PATH, body(), 503))["code"] == "sampler_unavailable"


async def test_a_generator_that_is_down_is_counted(api) -> None:
    api.parts.sampler.fails_with = "the engine did not start"
    await api.refused(PATH, body(), 503)
    metrics = (await api.http.get("/metrics")).text
    assert 'surefoot_sampler_failures_total{generator="default"} 1.0' in metrics

"""What POST /pooling refuses, in the shape and with the statuses that clients of vLLM know."""

import asyncio
import json

import pytest

from surefoot.api.service import Limits
from surefoot.backends.fake_backend import FakeBackend
from surefoot.profiles import load_profile
from surefoot.scheduling.limits import SchedulerLimits

PATH = "/pooling"
USER = {"role": "user", "content": "2 + 3?"}
SOLUTION = {"role": "assistant", "content": "It is 5.<extra_0>"}
MESSAGES = [USER, SOLUTION]
BODY = {"messages": MESSAGES}


@pytest.fixture
async def start(serve):
    """Serves the Qwen family alone, over parts given by keywords."""
    return lambda **parts: serve(profiles={"qwen": load_profile("qwen2.5-math-prm")}, **parts)


@pytest.fixture
async def pooling(start):
    return await start(backend=FakeBackend(max_input_tokens=400))


def vllm_error(response) -> dict:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["code"] == response.status_code
    return body["error"]


async def refused(api, body, status: int) -> dict:
    response = await api.http.post(PATH, json=body)
    assert response.status_code == status, response.text
    return vllm_error(response)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [USER]}, "messages"),
        ({"messages": [SOLUTION]}, "messages"),
        ({"messages": [USER, {"role": "tool", "content": "x"}]}, "messages[1].role"),
        ({"messages": [USER, {"role": "assistant"}]}, "messages[1].content"),
        ({"messages": [USER | {"content": " "}, SOLUTION]}, "messages"),
        ({"messages": [USER, SOLUTION | {"content": "\n"}]}, "messages"),
        ({"input": "2 + 3? It is 5.<extra_0>"}, "input"),
        ({"input": [1, 2, 3]}, "input"),
        (BODY | {"input": "text"}, "input"),
        (BODY | {"encoding_format": "bytes"}, "encoding_format"),
        (BODY | {"embed_dtype": "float16"}, "embed_dtype"),
        (BODY | {"endianness": "middle"}, "endianness"),
        (BODY | {"task": "embed"}, "task"),
        (BODY | {"truncate_prompt_tokens": -2}, "truncate_prompt_tokens"),
        (BODY | {"use_activation": "maybe"}, "use_activation"),
    ],
)
async def test_a_bad_field_is_named(pooling, body, param) -> None:
    error = await refused(pooling, body, 400)
    assert (error["type"], error["param"]) == ("BadRequestError", param)


async def test_a_body_that_is_not_json_is_a_bad_request(pooling) -> None:
    response = await pooling.http.post(PATH, content=b"{", headers={"content-type": "application/json"})
    assert (response.status_code, vllm_error(response)["type"]) == (400, "BadRequestError")


async def test_another_model_is_not_found(pooling) -> None:
    error = await refused(pooling, BODY | {"model": "other"}, 404)
    assert (error["type"], error["param"]) == ("NotFoundError", "model")


async def test_too_long_an_input_is_refused_with_the_counts(pooling) -> None:
    error = await refused(pooling, {"messages": [USER, SOLUTION | {"content": "5" * 380 + "<extra_0>"}]}, 400)
    assert "limit 400" in error["message"]


async def test_what_vllm_would_cut_is_refused(pooling) -> None:
    num_tokens = (await pooling.post(PATH, BODY))["usage"]["prompt_tokens"]
    error = await refused(pooling, BODY | {"truncate_prompt_tokens": num_tokens - 1}, 400)
    assert f"{num_tokens} tokens, limit {num_tokens - 1}" in error["message"]


async def test_a_limit_that_cuts_nothing_changes_nothing(pooling) -> None:
    plain = await pooling.post(PATH, BODY)
    for limit in (-1, plain["usage"]["prompt_tokens"]):
        assert (await pooling.post(PATH, BODY | {"truncate_prompt_tokens": limit}))["data"] == plain["data"]


async def test_too_many_steps_are_a_bad_request(start) -> None:
    api = await start(limits=Limits(max_steps=2))
    await refused(api, {"messages": [USER, SOLUTION | {"content": "a<extra_0>" * 3}]}, 400)


async def test_a_family_that_reads_no_conversation_refuses_earlier_turns(serve) -> None:
    api = await serve(profiles={"shepherd": load_profile("math-shepherd")})
    error = await refused(api, {"messages": [{"role": "system", "content": "s"}, *MESSAGES]}, 400)
    assert error["param"] == "messages"


async def test_a_failed_pass_is_a_servers_error(pooling) -> None:
    pooling.parts.backend.fail_items(lambda _: True)
    assert (await refused(pooling, BODY, 500))["type"] == "InternalServerError"


async def test_what_nobody_foresaw_is_a_servers_error(pooling) -> None:
    class Unforeseen(Exception):
        pass

    def score_group(*_):
        raise Unforeseen

    pooling.fake.service.registry.get("qwen").line.score_group = score_group
    assert (await refused(pooling, BODY, 500))["type"] == "InternalServerError"


async def test_a_full_queue_says_when_to_come_back(start) -> None:
    api = await start(queue=SchedulerLimits(max_queue_items=1))
    api.parts.backend.hold()
    running = asyncio.create_task(api.http.post(PATH, json=BODY))
    await api.until(lambda: len(api.parts.backend.batches) == 1)
    waiting = asyncio.create_task(api.http.post(PATH, json=BODY))
    await api.until(lambda: api.fake.scheduler.snapshot().num_requests == 1)
    response = await api.http.post(PATH, json=BODY)
    api.parts.backend.release()
    await asyncio.gather(running, waiting)
    assert (response.status_code, vllm_error(response)["type"]) == (429, "Too Many Requests")
    assert int(response.headers["retry-after"]) >= 1


async def test_a_model_that_loads_is_unavailable(start) -> None:
    assert (await refused(await start(loads=False), BODY, 503))["type"] == "ServiceUnavailableError"


async def test_a_stopping_service_is_unavailable(pooling) -> None:
    pooling.app.state.drain.begin()
    assert (await refused(pooling, BODY, 503))["type"] == "ServiceUnavailableError"


async def test_a_body_that_is_too_large_is_refused(start) -> None:
    api = await start(limits=Limits(max_body_bytes=2048))
    await refused(api, {"messages": [USER | {"content": "x" * 3000}, SOLUTION]}, 413)


async def test_another_method_is_refused(pooling) -> None:
    response = await pooling.http.get(PATH)
    assert (response.status_code, vllm_error(response)["type"]) == (405, "Method Not Allowed")


async def test_an_error_is_counted_once_by_its_code(pooling) -> None:
    await refused(pooling, BODY | {"model": "other"}, 404)
    assert 'surefoot_errors_total{code="model_not_found"} 1.0' in (await pooling.http.get("/metrics")).text


async def test_half_a_character_in_an_id_harms_nothing(pooling) -> None:
    content = json.dumps(BODY | {"request_id": "\ud83d"}).encode()
    response = await pooling.http.post(PATH, content=content, headers={"content-type": "application/json"})
    assert response.json()["id"] == "pooling-\ufffd"


async def test_a_bad_value_is_not_quoted_back(pooling) -> None:
    response = await pooling.http.post(PATH, json=BODY | {"task": "my secret"})
    assert (response.status_code, "my secret" in response.text) == (400, False)

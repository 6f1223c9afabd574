"""Every dialect tells every error in its system's own shape: wrong bodies, keys, models, full queues and stopping."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from surefoot.api.service import Limits
from surefoot.scheduling.limits import SchedulerLimits

PROBLEM = "2 + 3?"
PAIR = {"text_1": PROBLEM, "text_2": "It is 5."}
RERANK = {"query": PROBLEM, "documents": ["It is 5."]}
MESSAGES = {"messages": [{"role": "user", "content": PROBLEM}, {"role": "assistant", "content": "It is 5."}]}


def vllm(response: httpx.Response) -> bool:
    error = response.json()["error"]
    return set(error) == {"message", "type", "param", "code"} and error["code"] == response.status_code


def cohere(response: httpx.Response) -> bool:
    return set(response.json()) == {"message"}


def detail(response: httpx.Response) -> bool:
    return set(response.json()) == {"detail"}


def tei(response: httpx.Response) -> bool:
    return set(response.json()) == {"error", "error_type"}


def openr(response: httpx.Response) -> bool:
    body = response.json()
    return set(body) == {"text", "error_code", "address"} and body["error_code"] == response.status_code


@dataclass(frozen=True)
class Asked:
    """A good request, how its errors look, and how it names a model: in the body, in the URL or in the path."""

    path: str
    body: dict[str, Any]
    is_in_shape: Callable[[httpx.Response], bool]
    naming: str = "body"

    def of(self, model: str) -> tuple[str, dict[str, Any]]:
        if self.naming == "body":
            return self.path, self.body | {"model": model}
        if self.naming == "url":
            return f"{self.path}?model={model}", self.body
        return self.path.replace("/openr/", f"/openr/{model}/"), self.body


ASKED = (
    Asked("/v1/score", PAIR, vllm),
    Asked("/v1/rerank", RERANK, vllm),
    Asked("/v2/rerank", RERANK, vllm),
    Asked("/classify", MESSAGES, vllm),
    Asked("/pooling", MESSAGES, vllm),
    Asked("/score", PAIR, vllm),
    Asked("/rerank", RERANK, vllm),
    Asked("/cohere/v1/rerank", RERANK, cohere),
    Asked("/cohere/v2/rerank", RERANK, cohere),
    Asked("/jina/v1/rerank", RERANK, detail),
    Asked("/rerank", {"query": PROBLEM, "texts": ["It is 5."]}, tei, "url"),
    Asked("/tei/rerank", {"query": PROBLEM, "texts": ["It is 5."]}, tei, "url"),
    Asked("/tei/predict", {"inputs": [PROBLEM, "It is 5."]}, tei, "url"),
    Asked("/predict", {"inputs": [PROBLEM, "It is 5."]}, tei, "url"),
    Asked("/get_reward", {"query": [f"{PROBLEM} It is 5."], "prompts": [PROBLEM]}, detail, "url"),
    Asked("/slime/reward", {"prompt": PROBLEM, "response": "It is 5."}, detail, "url"),
    Asked("/openr/worker_value_inference", {"input_str": f"{PROBLEM} &&&&& It is 5."}, openr, "path"),
)
OWN = [asked for asked in ASKED if asked.path not in ("/score", "/rerank")]
"""On paths of their own: whose a body is need not be known to tell what is wrong."""


def named(asked: tuple[Asked, ...] | list[Asked]) -> Any:
    return pytest.mark.parametrize("asked", asked, ids=[f"{one.path} {one.is_in_shape.__name__}" for one in asked])


@named(ASKED)
async def test_an_unknown_model_is_not_found(api, asked) -> None:
    path, body = asked.of("other")
    response = await api.http.post(path, json=body)
    assert (response.status_code, asked.is_in_shape(response)) == (404, True), response.text


@named(ASKED)
async def test_a_known_model_answers(api, asked) -> None:
    path, body = asked.of("orm")
    assert (await api.http.post(path, json=body)).status_code == 200


@named(OWN)
async def test_a_body_without_its_fields_is_refused(api, asked) -> None:
    response = await api.http.post(asked.path, json={"unknown": 1})
    assert response.status_code == (400 if asked.is_in_shape is vllm else 422)
    assert asked.is_in_shape(response), response.text


@named(OWN)
async def test_a_body_that_is_no_json_is_a_bad_request(api, asked) -> None:
    response = await api.http.post(asked.path, content=b"{", headers={"content-type": "application/json"})
    assert (response.status_code, asked.is_in_shape(response)) == (400, True)


@named(OWN)
async def test_a_body_that_is_too_large_is_refused(serve, asked) -> None:
    api = await serve(limits=Limits(max_body_bytes=1024))
    response = await api.http.post(asked.path, json=asked.body | {"user": "x" * 2000})
    assert (response.status_code, asked.is_in_shape(response)) == (413, True)


@named(ASKED)
async def test_a_group_that_no_queue_could_hold_is_refused(serve, asked) -> None:
    api = await serve(queue=SchedulerLimits(max_queue_tokens=1))
    response = await api.http.post(asked.path, json=asked.body)
    assert (response.status_code, asked.is_in_shape(response)) == (413, True), response.text


@named(ASKED)
async def test_a_full_queue_says_when_to_come_back(serve, asked) -> None:
    api = await serve(queue=SchedulerLimits(max_queue_items=1))
    api.parts.backend.hold()
    item = {"problem": "1 + 1?", "solution": "It is 2."}
    running = asyncio.create_task(api.http.post("/score", json=item))
    await api.until(lambda: len(api.parts.backend.batches) == 1)
    waiting = asyncio.create_task(api.http.post("/score", json=item))
    await api.until(lambda: api.fake.scheduler.snapshot().num_requests == 1)
    response = await api.http.post(asked.path, json=asked.body)
    api.parts.backend.release()
    await asyncio.gather(running, waiting)
    assert (response.status_code, asked.is_in_shape(response)) == (429, True), response.text
    assert int(response.headers["retry-after"]) >= 1


@named(ASKED)
async def test_a_model_that_loads_is_unavailable(serve, asked) -> None:
    response = await (await serve(loads=False)).http.post(asked.path, json=asked.body)
    assert (response.status_code, asked.is_in_shape(response)) == (503, True)
    assert "retry-after" in response.headers


@named(OWN)
async def test_a_stopping_service_is_unavailable(api, asked) -> None:
    api.app.state.drain.begin()
    response = await api.http.post(asked.path, json=asked.body)
    assert (response.status_code, asked.is_in_shape(response)) == (503, True)


@named(ASKED)
async def test_a_failed_pass_is_a_servers_error(api, asked) -> None:
    api.parts.backend.fail_items(lambda _: True)
    response = await api.http.post(asked.path, json=asked.body)
    assert (response.status_code, asked.is_in_shape(response)) == (424 if asked.is_in_shape is tei else 500, True)


@named(OWN)
async def test_a_key_is_asked_for_in_the_systems_shape(serve, keys_in_file, asked) -> None:
    api = await serve(keys=keys_in_file.ring())
    keys_in_file.now_s += 1
    stranger = await api.http.post(asked.path, json=asked.body)
    assert (stranger.status_code, asked.is_in_shape(stranger)) == (401, True)


@named(OWN)
async def test_a_missing_scope_is_told_in_the_systems_shape(serve, keys_in_file, asked) -> None:
    api = await serve(keys=keys_in_file.ring())
    headers = {"authorization": f"Bearer {keys_in_file.new('alice', 'sample')}"}
    keys_in_file.now_s += 1
    response = await api.http.post(asked.path, json=asked.body, headers=headers)
    assert (response.status_code, asked.is_in_shape(response)) == (403, True)


@named(ASKED)
async def test_a_request_that_takes_too_long_is_ended(serve, asked) -> None:
    api = await serve(limits=Limits(request_timeout_s=0.05))
    api.parts.backend.hold()
    response = await api.http.post(asked.path, json=asked.body)
    api.parts.backend.release()
    assert (response.status_code, asked.is_in_shape(response)) == (504, True)


async def test_more_documents_than_items_are_allowed_are_refused(serve) -> None:
    api = await serve(limits=Limits(max_items=2))
    response = await api.http.post("/cohere/v2/rerank", json={"query": PROBLEM, "documents": ["a"] * 3})
    assert (response.status_code, cohere(response)) == (422, True)
    assert "documents: 3 items, at most 2" in response.json()["message"]

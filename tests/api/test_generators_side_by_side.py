"""Several generators in one service: each answers by its name, and one that is down takes nothing with it."""

import httpx
import pytest

from surefoot.remote_server import RemoteServer
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.sampling.openai_sampler import OpenAISampler, RemotePolicy

ITEM = {"items": [{"problem": "2 + 3?", "steps": ["2 + 3 = 5.", "The answer is 5."]}]}
ROUTES = {
    "/sample": lambda name: {"problem": "2 + 3?", "generator": name},
    "/best_of_n": lambda name: {"problem": "2 + 3?", "sampling": {"generator": name, "n": 2}},
}


def remote(handler) -> OpenAISampler:
    server = RemoteServer("http://far.test:8000", "sk-secret", max_retries=0)
    return OpenAISampler("far", RemotePolicy("m"), server, transport=httpx.MockTransport(handler))


def down(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


def plain_chat(request: httpx.Request) -> httpx.Response:
    """A server that gives text and nothing else."""
    if request.url.path == "/v1/models":
        return httpx.Response(200, json={"data": [{"id": "m"}]})
    choice = {"message": {"content": "2 + 3 = 5.\nThe answer is 5."}, "finish_reason": "stop"}
    return httpx.Response(200, json={"choices": [choice]})


@pytest.fixture
async def beside_one_down(serve):
    return await serve(further_samplers={"far": remote(down)})


async def test_each_answers_by_its_name(serve) -> None:
    api = await serve(sampler=FakeSampler(["near"]), further_samplers={"far": FakeSampler(["far"])})
    texts = [
        (await api.post("/sample", {"problem": "2 + 3?", "generator": name}))["candidates"][0]["text"]
        for name in ("default", "far")
    ]
    assert texts == ["near", "far"]


async def test_the_first_one_is_the_default(serve) -> None:
    api = await serve(sampler=None, further_samplers={"far": FakeSampler(["a"]), "other": FakeSampler(["b"])})
    assert (await api.post("/sample", {"problem": "2 + 3?"}))["generator"] == "far"


async def test_all_are_listed(beside_one_down) -> None:
    listed = (await beside_one_down.get("/v1/models"))["generators"]
    assert [generator["id"] for generator in listed] == ["default", "far"]


@pytest.mark.parametrize("path", ROUTES)
async def test_one_that_is_down_says_why(beside_one_down, path: str) -> None:
    error = await beside_one_down.refused(path, ROUTES[path]("far"), 503)
    assert (error["code"], error["message"]) == (
        "sampler_unavailable",
        "the generator at far.test:8000 cannot be reached",
    )


@pytest.mark.parametrize("path", ROUTES)
async def test_its_neighbour_goes_on(beside_one_down, path: str) -> None:
    await beside_one_down.refused(path, ROUTES[path]("far"), 503)
    assert (await beside_one_down.post(path, ROUTES[path]("default")))["generator"] == "default"


async def test_scores_are_the_same_without_it(beside_one_down, api) -> None:
    await beside_one_down.refused("/best_of_n", ROUTES["/best_of_n"]("far"), 503)
    assert (await beside_one_down.post("/score", ITEM))["results"] == (await api.post("/score", ITEM))["results"]


async def test_ready_says_which_one_failed(beside_one_down) -> None:
    await beside_one_down.refused("/sample", ROUTES["/sample"]("far"), 503)
    state = await beside_one_down.get("/ready")
    assert (state["ready"], {name: one["state"] for name, one in state["generators"].items()}) == (
        True,
        {"default": "ready", "far": "failed"},
    )


async def test_a_server_that_gives_text_alone_can_be_ranked(serve) -> None:
    api = await serve(further_samplers={"far": remote(plain_chat)})
    assert (await api.post("/best_of_n", ROUTES["/best_of_n"]("far")))["answer"] == "5"


async def test_what_a_server_does_not_tell_is_null_or_empty(serve) -> None:
    api = await serve(further_samplers={"far": remote(plain_chat)})
    answer = await api.post("/sample", ROUTES["/sample"]("far") | {"logprobs": True})
    [candidate] = answer["candidates"]
    assert (answer["prompt_token_ids"], answer["fingerprint"], answer["usage"]["prompt_tokens"]) == ([], None, None)
    assert (candidate["token_ids"], candidate["cumulative_logprob"], "logprobs" in candidate) == ([], None, False)

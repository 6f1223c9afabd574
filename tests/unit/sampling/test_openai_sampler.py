"""A generator behind a server keeps the port's promises, and comes back when the server does."""

import asyncio
import json
import logging
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from surefoot.domain import Message, Prompt, SampledCandidate, SamplingOptions
from surefoot.errors import InvalidRequest, SamplerUnavailable
from surefoot.remote_server import RemoteServer
from surefoot.sampling.openai_sampler import OpenAISampler, RemotePolicy
from surefoot.sampling.openai_wire import Offer
from surefoot.sampling.seeds import candidate_seed

KEY = "sk-very-secret"
MESSAGES = [Message("user", "2 + 3?")]


class FakeServer:
    """Speaks both APIs. `status` other than 200 refuses everything but /v1/models, `down` everything.

    `held` candidates (by the place of their request) never end.
    """

    def __init__(self, *, models: tuple[str, ...] = ("m",)) -> None:
        self.models = models
        self.status = 200
        self.refusal: Any = {"error": {"message": "no"}}
        self.down = False
        self.logprobs = True
        self.held: set[int] = set()
        self.paths: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.num_cancelled = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        if self.down:
            raise httpx.ConnectError("refused")
        if request.url.path == "/v1/models":
            return httpx.Response(200, json={"data": [{"id": name} for name in self.models]})
        if self.status != 200:
            return httpx.Response(self.status, json=self.refusal)
        body = json.loads(request.content)
        if request.url.path == "/tokenize":
            texts = [turn["content"] for turn in body["messages"]] if "messages" in body else [body["prompt"]]
            return httpx.Response(200, json={"tokens": [len(text) for text in texts]})
        self.bodies.append(body)
        if len(self.bodies) - 1 in self.held:
            await self._wait()
        return httpx.Response(200, json=self._answer(body))

    async def _wait(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.num_cancelled += 1
            raise

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        values = [-0.5, -0.25] if self.logprobs else None
        choice: dict[str, Any] = {"finish_reason": "stop"}
        if "messages" in body:
            content = values and [{"logprob": value} for value in values]
            choice |= {"message": {"content": "5."}, "logprobs": {"content": content}}
        else:
            choice |= {"text": "5.", "logprobs": {"token_logprobs": values}}
        if body.get("return_token_ids"):
            choice["token_ids"] = [7, 8]
        return {"choices": [choice], "usage": {"completion_tokens": 2}}


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


def sampler_of(server: FakeServer, api: str = "chat", *, model: str = "m", **offer: bool) -> OpenAISampler:
    return OpenAISampler(
        "far",
        RemotePolicy(model, api, Offer(**offer)),
        RemoteServer("http://far.test:8000", KEY, max_retries=0),
        transport=httpx.MockTransport(server),
    )


async def draw(sampler: OpenAISampler, **options: Any) -> list[SampledCandidate]:
    prompt = await sampler.encode_prompt(MESSAGES)
    async with aclosing(sampler.sample(prompt, SamplingOptions(**options))) as stream:
        return [candidate async for candidate in stream]


@pytest.mark.parametrize(("api", "path"), [("chat", "/v1/chat/completions"), ("completions", "/v1/completions")])
async def test_the_api_decides_the_path(server, api: str, path: str) -> None:
    await draw(sampler_of(server, api))
    assert server.paths == ["/v1/models", path]


@pytest.mark.parametrize("api", ["chat", "completions"])
async def test_each_index_comes_once(server, api: str) -> None:
    drawn = await draw(sampler_of(server, api), n=5)
    assert sorted(candidate.index for candidate in drawn) == [0, 1, 2, 3, 4]


async def test_each_candidate_is_a_request_with_its_seed(server) -> None:
    await draw(sampler_of(server), n=3, seed=11)
    assert [body["seed"] for body in server.bodies] == [candidate_seed(11, index) for index in range(3)]


@pytest.mark.parametrize("api", ["chat", "completions"])
async def test_a_candidate_has_what_the_server_gave(server, api: str) -> None:
    [candidate] = await draw(sampler_of(server, api, extensions=True), logprobs=True)
    assert candidate == SampledCandidate(
        index=0,
        text="5.",
        token_ids=(7, 8),
        finish_reason="stop",
        cumulative_logprob=-0.75,
        logprobs=(-0.5, -0.25),
        reported_tokens=2,
    )


async def test_a_server_without_logprobs_gives_none(server) -> None:
    server.logprobs = False
    [candidate] = await draw(sampler_of(server), logprobs=True)
    assert (candidate.cumulative_logprob, candidate.logprobs) == (None, None)


async def test_a_plain_server_tells_no_prompt_tokens(server) -> None:
    assert await sampler_of(server).encode_prompt(MESSAGES) == Prompt(tuple(MESSAGES))


async def test_extensions_ask_the_server_for_the_prompts_tokens(server) -> None:
    assert (await sampler_of(server, extensions=True).encode_prompt(MESSAGES)).token_ids == (6,)


async def test_completions_are_drawn_from_those_tokens(server) -> None:
    await draw(sampler_of(server, "completions", extensions=True))
    assert server.bodies[0]["prompt"] == [6]


@pytest.mark.parametrize("api", ["chat", "completions"])
async def test_the_tokens_of_a_beginning_follow_those_of_the_prompt(server, api: str) -> None:
    prompt = await sampler_of(server, api, extensions=True).encode_prompt(MESSAGES, beginning="It is")
    assert (prompt.token_ids, prompt.beginning) == ((6, 5), "It is")


@pytest.mark.parametrize("api", ["chat", "completions"])
async def test_a_plain_server_is_not_asked_to_go_on_from_a_beginning(server, api: str) -> None:
    with pytest.raises(InvalidRequest, match=r"remote_generators\.extensions = true") as caught:
        await sampler_of(server, api).encode_prompt(MESSAGES, beginning="It is")
    assert (caught.value.param, server.bodies) == ("beginning", [])


async def test_candidates_come_as_they_finish(server) -> None:
    server.held = {0}
    sampler = sampler_of(server)
    async with aclosing(sampler.sample(Prompt(tuple(MESSAGES)), SamplingOptions(n=2))) as stream:
        assert (await anext(stream)).index == 1


async def test_closing_the_iterator_ends_the_requests(server) -> None:
    server.held = {0, 2}
    async with aclosing(sampler_of(server).sample(Prompt(tuple(MESSAGES)), SamplingOptions(n=3))) as stream:
        await anext(stream)
    assert server.num_cancelled == 2


async def test_cancelling_the_caller_ends_the_requests(server) -> None:
    server.held = {0, 1}
    running = asyncio.create_task(draw(sampler_of(server), n=2))
    async with asyncio.timeout(5):
        while len(server.bodies) < 2:  # noqa: ASYNC110 (the task makes it true)
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.wait({running})
    assert (running.cancelled(), server.num_cancelled) == (True, 2)


async def test_one_failed_candidate_ends_the_others(server) -> None:
    server.held = {0}
    answer = server._answer
    server._answer = lambda body: answer(body) | {"choices": []}
    with pytest.raises(SamplerUnavailable, match="shape"):
        await draw(sampler_of(server), n=2)
    assert server.num_cancelled == 1


async def test_before_first_use_it_is_idle(server) -> None:
    sampler = sampler_of(server)
    assert (sampler.state().state, sampler.state().engine, server.paths) == ("idle", "openai", [])


async def test_started_it_is_ready(server) -> None:
    sampler = sampler_of(server)
    await sampler.start()
    assert (sampler.state().state, sampler.state().detail) == ("ready", "")


async def test_a_ready_server_is_not_asked_for_its_models_again(server) -> None:
    sampler = sampler_of(server)
    await sampler.start()
    await sampler.start()
    assert server.paths == ["/v1/models"]


async def test_a_server_that_is_down_fails_with_the_reason(server) -> None:
    server.down = True
    sampler = sampler_of(server)
    with pytest.raises(SamplerUnavailable, match=r"far\.test:8000 cannot be reached"):
        await sampler.start()
    assert sampler.state().state == "failed"
    assert "cannot be reached" in sampler.state().detail


async def test_a_model_that_the_server_does_not_have_is_named(server) -> None:
    server.models = ("other", "third")
    with pytest.raises(SamplerUnavailable, match=r"no model named m; it has: other, third"):
        await sampler_of(server).start()


async def test_the_next_use_finds_a_server_that_came_back(server) -> None:
    server.down = True
    sampler = sampler_of(server)
    with pytest.raises(SamplerUnavailable):
        await draw(sampler)
    server.down = False
    assert len(await draw(sampler)) == 1
    assert sampler.state().state == "ready"


@pytest.mark.parametrize("status", [401, 404, 500, 502, 503])
async def test_a_server_that_breaks_while_sampling_has_failed(server, status: int) -> None:
    sampler = sampler_of(server)
    await sampler.start()
    server.status = status
    with pytest.raises(SamplerUnavailable):
        await draw(sampler)
    assert (sampler.state().state, f"answered {status}" in sampler.state().detail) == ("failed", True)


@pytest.mark.parametrize("status", [400, 422, 429])
async def test_a_refused_request_leaves_it_ready(server, status: int) -> None:
    sampler = sampler_of(server)
    await sampler.start()
    server.status = status
    with pytest.raises(SamplerUnavailable):
        await draw(sampler)
    assert sampler.state().state == "ready"


async def test_an_exceeded_context_is_the_callers_to_mend(server) -> None:
    sampler = sampler_of(server)
    server.status, server.refusal = 400, {"error": {"message": "maximum context length is 64 tokens"}}
    with pytest.raises(InvalidRequest) as caught:
        await draw(sampler)
    assert (caught.value.param, sampler.state().state) == ("max_tokens", "ready")


async def test_a_failure_is_logged_once(server, caplog) -> None:
    server.down = True
    sampler = sampler_of(server)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with pytest.raises(SamplerUnavailable):
                await sampler.start()
    assert [record.getMessage() for record in caplog.records] == [
        "generator far failed: the generator at far.test:8000 cannot be reached"
    ]


async def test_the_key_is_in_neither_state_nor_log(server, caplog) -> None:
    sampler = sampler_of(server)
    with caplog.at_level(logging.DEBUG):
        await draw(sampler)
        server.status = 401
        with pytest.raises(SamplerUnavailable) as caught:
            await draw(sampler)
    assert KEY not in f"{caplog.text} {sampler.state()} {caught.value}"


async def test_its_weights_are_unknown(server) -> None:
    sampler = sampler_of(server)
    await sampler.start()
    assert sampler.fingerprint is None


async def test_closed_it_cannot_be_used(server) -> None:
    sampler = sampler_of(server)
    await sampler.close()
    with pytest.raises(SamplerUnavailable, match="closed"):
        await sampler.start()

"""Retries, limits and the meaning of failures, over a scripted connection; and a real socket where closing counts."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from surefoot.errors import InvalidRequest, SamplerUnavailable
from surefoot.remote_server import RemoteServer
from surefoot.request_context import RequestContext, Trace, within_request
from surefoot.sampling import openai_transport
from surefoot.sampling.openai_transport import OpenAITransport, RequestRefused

KEY = "sk-very-secret"
PROMPT = "a private question"
URL = "http://far.test:8000"


class Script:
    """Answers in turn, the last one for ever; an exception is raised instead. `requests` records what came."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer, json={"error": {"message": f"wrong with: {PROMPT}"}})
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


@pytest.fixture
def slept(monkeypatch) -> list[float]:
    """The delays that would have been waited for."""
    delays: list[float] = []

    async def sleep(seconds: float) -> None:
        delays.append(seconds)

    monkeypatch.setattr(openai_transport.asyncio, "sleep", sleep)
    return delays


def reach(script: Callable, **server: Any) -> OpenAITransport:
    wanted = RemoteServer(URL, KEY, **server)
    return OpenAITransport(wanted, transport=httpx.MockTransport(script), jitter=lambda: 1.0)


async def failure_of(script: Callable, **server: Any) -> Exception:
    with pytest.raises((SamplerUnavailable, InvalidRequest)) as caught:
        await reach(script, **server).post("/v1/completions", {"prompt": PROMPT})
    return caught.value


@pytest.mark.parametrize("given", [URL, f"{URL}/", f"{URL}/v1", f"{URL}/v1/"])
async def test_v1_may_be_given_or_left_out(given: str) -> None:
    script = Script({"data": []})
    transport = OpenAITransport(RemoteServer(given), transport=httpx.MockTransport(script))
    await transport.probe()
    assert str(script.requests[0].url) == f"{URL}/v1/models"


async def test_the_key_is_sent() -> None:
    script = Script({})
    await reach(script).post("/v1/completions", {})
    assert script.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_without_a_key_nothing_is_sent_for_it() -> None:
    script = Script({})
    await OpenAITransport(RemoteServer(URL), transport=httpx.MockTransport(script)).post("/v1/completions", {})
    assert "authorization" not in script.requests[0].headers


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_a_passing_refusal_is_tried_again(slept, status: int) -> None:
    script = Script(status, status, {"done": True})
    assert await reach(script).post("/v1/completions", {}) == {"done": True}
    assert slept == [0.5, 1.0]


@pytest.mark.parametrize(
    "failure",
    [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.ReadError("x"), httpx.RemoteProtocolError("x")],
)
async def test_a_broken_connection_is_tried_again(slept, failure: Exception) -> None:
    assert await reach(Script(failure, {"done": True})).post("/v1/completions", {}) == {"done": True}


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500, 504])
async def test_what_cannot_pass_is_asked_once(slept, status: int) -> None:
    script = Script(status)
    await failure_of(script)
    assert (len(script.requests), slept) == (1, [])


@pytest.mark.parametrize("max_retries", [0, 2])
async def test_retries_end(slept, max_retries: int) -> None:
    script = Script(503)
    await failure_of(script, max_retries=max_retries)
    assert len(script.requests) == max_retries + 1


async def test_retry_after_is_waited_for(slept) -> None:
    await reach(Script(httpx.Response(429, headers={"retry-after": "3"}), {})).post("/v1/completions", {})
    assert slept == [3.0]


async def test_a_wait_beyond_the_time_limit_is_not_begun(slept) -> None:
    script = Script(httpx.Response(503, headers={"retry-after": "60"}))
    await failure_of(script, timeout_s=5.0)
    assert (len(script.requests), slept) == (1, [])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (500, "answered 500"),
        (503, "answered 503"),
        (401, "answered 401: check the key"),
        (403, "answered 403: check the key"),
        (404, "answered 404: check url and model"),
        (307, "answered 307"),
        (httpx.Response(200, text="<html>"), "not JSON"),
        (httpx.Response(200, content=b"\xff\xfe"), "not JSON"),
        (httpx.ConnectError("x"), "cannot be reached"),
        (httpx.ConnectTimeout("x"), "did not accept a connection in time"),
        (httpx.ReadTimeout("x"), "gave no answer in time"),
        (httpx.ReadError("x"), "broke off the connection"),
    ],
)
async def test_a_failure_names_the_server_and_the_reason(slept, answer: Any, said: str) -> None:
    error = await failure_of(Script(answer))
    assert isinstance(error, SamplerUnavailable)
    assert error.message.startswith("the generator at far.test:8000 ")
    assert said in error.message


@pytest.mark.parametrize(("status", "said"), [(429, "no room now"), (400, "does not serve"), (422, "does not serve")])
async def test_a_refused_request_does_not_mean_a_broken_server(slept, status: int, said: str) -> None:
    error = await failure_of(Script(status))
    assert isinstance(error, RequestRefused)
    assert said in error.message


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 2048 tokens. However, you requested",
        "the request exceeds the available context size, try increasing it",
    ],
)
async def test_an_exceeded_context_is_the_callers_to_mend(message: str) -> None:
    error = await failure_of(Script(httpx.Response(400, json={"error": {"message": f"{message} {PROMPT}"}})))
    assert isinstance(error, InvalidRequest)
    assert error.param == "max_tokens"


@pytest.mark.parametrize("answer", [429, 400, 401, 500, httpx.ConnectError(f"{KEY} {PROMPT}")])
async def test_neither_key_nor_prompt_is_ever_said(slept, caplog, answer: Any) -> None:
    with caplog.at_level(logging.DEBUG):
        error = await failure_of(Script(answer))
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("surefoot")]
    said = " ".join([error.message, *logged])
    assert KEY not in said
    assert PROMPT not in said


async def held(_: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def test_an_answer_has_a_time_limit() -> None:
    error = await failure_of(held, timeout_s=0.05)
    assert "no answer within 0.05 s" in error.message


async def test_a_probe_has_a_short_time_limit() -> None:
    started = time.monotonic()
    with pytest.raises(SamplerUnavailable, match="did not answer in time"):
        await reach(held, connect_timeout_s=0.05).probe()
    assert time.monotonic() - started < 2


async def test_a_probe_is_not_tried_again(slept) -> None:
    script = Script(503)
    with pytest.raises(SamplerUnavailable, match="answered 503"):
        await reach(script).probe()
    assert len(script.requests) == 1


async def test_only_so_many_requests_are_open_at_once() -> None:
    open_now, most = 0, 0

    async def count(_: httpx.Request) -> httpx.Response:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.005)
        open_now -= 1
        return httpx.Response(200, json={})

    transport = reach(count, max_concurrent=2)
    await asyncio.gather(*(transport.post("/v1/completions", {}) for _ in range(7)))
    assert most == 2


async def test_waiting_for_a_place_counts_towards_no_time_limit() -> None:
    async def slow(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.1)
        return httpx.Response(200, json={})

    transport = reach(slow, max_concurrent=1, timeout_s=0.25)
    assert await asyncio.gather(*(transport.post("/v1/completions", {}) for _ in range(4))) == [{}] * 4


async def test_cancelling_closes_the_connection() -> None:
    asked, closed = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        while await reader.read(1024):
            pass
        closed.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = OpenAITransport(RemoteServer(f"http://127.0.0.1:{port}"))
    call = asyncio.create_task(transport.post("/v1/completions", {}))
    async with server, asyncio.timeout(5):
        await asked.wait()
        call.cancel()
        await closed.wait()
    await asyncio.gather(call, return_exceptions=True)
    await transport.close()
    assert call.cancelled()


async def test_the_server_is_told_which_trace_it_works_for() -> None:
    script = Script({})
    with within_request(RequestContext("r-1", Trace("a" * 32, is_sampled=True, state="x=1", span_id="b" * 16))):
        await reach(script).post("/v1/completions", {"prompt": PROMPT})
    [request] = script.requests
    told = (request.headers["traceparent"], request.headers["tracestate"])
    assert told == (f"00-{'a' * 32}-{'b' * 16}-01", "x=1")


async def test_without_a_trace_the_server_is_told_of_none() -> None:
    script = Script({})
    with within_request(RequestContext("r-1")):
        await reach(script).post("/v1/completions", {"prompt": PROMPT})
    assert not {"traceparent", "tracestate", "x-request-id"} & set(script.requests[0].headers)

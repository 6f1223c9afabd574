"""Timeouts, broken answers and connections."""

import asyncio
import gzip
import inspect
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from surefoot_client import AsyncSurefootClient, BadResponse, ConnectionFailed, SurefootClient, TimedOut, TransportError

ITEM = {"problem": "2+3?", "steps": ["one", "two"]}


class Trickle(httpx.SyncByteStream, httpx.AsyncByteStream):
    """An answer of a hundred bytes, with ten seconds before each."""

    def __init__(self, server) -> None:
        self.server = server

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(100):
            self.server.now += 10
            yield b" "

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for byte in iter(self):
            yield byte


def timeouts(server) -> dict[str, float]:
    return server.requests[0].extensions["timeout"]


def test_scoring_has_a_minute_by_default(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    driver.call("score", [ITEM])
    assert timeouts(server) == {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 60.0}


@pytest.mark.parametrize("method", ["sample", "best_of_n"])
def test_sampling_has_ten_minutes_by_default(driver, server, sample_answer, best_of_n_answer, method):
    server.reply(httpx.Response(200, json={"sample": sample_answer, "best_of_n": best_of_n_answer}[method]))
    driver.call(method, "2+3?")
    assert timeouts(server)["read"] == 600.0


def test_the_client_waits_longer_than_the_server_was_given(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    driver.call("score", [ITEM], timeout_s=300)
    assert timeouts(server)["read"] == 305.0


def test_timeouts_may_be_set(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    driver.call("score", [ITEM], settings={"timeout_s": 9.0, "connect_timeout_s": 2.0})
    assert (timeouts(server)["read"], timeouts(server)["connect"]) == (9.0, 2.0)


def test_a_trickling_answer_ends_with_the_time_of_the_call(driver, server):
    server.reply(lambda request: httpx.Response(200, stream=Trickle(server)))
    with pytest.raises(TimedOut):
        driver.call("score", [ITEM])
    assert server.now == 1070.0


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"id": "r1"', b'{"id": NaN}', b"\xff\xfe\x00", b"[" * 100_000])
def test_an_answer_that_is_not_json_is_a_bad_response(driver, server, body):
    server.reply(httpx.Response(200, content=body))
    with pytest.raises(BadResponse, match="not JSON"):
        driver.call("score", [ITEM])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"results": None}, "response.results is missing"),
        ({"results": {}}, "response.results must be an array"),
        ({"results": ["x"]}, r"response.results\[0\] must be a JSON object"),
        ({"model": 3}, "response.model must be a string"),
        ({"usage": {"prompt_tokens": 1.5}}, "response.usage.prompt_tokens must be an integer"),
        ({"timing": {"total_s": True}}, "response.timing.total_s must be a number"),
    ],
)
def test_a_field_that_breaks_the_promise_is_named(driver, server, score_answer, change, complaint):
    server.reply(httpx.Response(200, json={**score_answer, **change}))
    with pytest.raises(BadResponse, match=complaint):
        driver.call("score", [ITEM])


@pytest.mark.parametrize("score", ["1e999", "9" * 400, '"0.5"', "true", "null"])
def test_a_score_is_a_finite_number_or_a_bad_response(driver, server, score):
    result = '{"index": 0, "kind": "outcome", "text": "", "score": %s}' % score  # noqa: UP031
    body = '{"id": "r", "model": "m", "fingerprint": "f", "scale": "signed", "results": [%s]}' % result  # noqa: UP031
    server.reply(httpx.Response(200, content=body.encode()))
    with pytest.raises(BadResponse, match=r"results\[0\].score"):
        driver.call("score", [ITEM])


def test_a_list_in_place_of_the_object_is_a_bad_response(driver, server):
    server.reply(httpx.Response(200, json=[]))
    with pytest.raises(BadResponse, match="response must be a JSON object"):
        driver.call("score", [ITEM])


def test_a_redirect_is_a_bad_response(driver, server):
    server.reply(httpx.Response(307, headers={"location": "http://elsewhere/"}))
    with pytest.raises(BadResponse, match="check base_url"):
        driver.call("score", [ITEM])
    assert len(server.requests) == 1


def test_compressed_answers_are_asked_for_and_read(driver, server, score_answer):
    compressed = gzip.compress(json.dumps(score_answer).encode())
    server.reply(
        lambda request: httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(compressed))
    )
    assert driver.call("score", [ITEM]).results[0].score == 0.931
    assert "gzip" in server.requests[0].headers["accept-encoding"]


def test_request_bodies_are_gzipped_on_request(driver, server, score_answer):
    server.reply(httpx.Response(503), httpx.Response(200, json=score_answer))
    item = {"problem": "2+3? " * 300, "steps": ["one", "two"]}
    driver.call("score", [item], settings={"gzip": True, "max_retries": 1})
    assert [request.headers["content-encoding"] for request in server.requests] == ["gzip", "gzip"]
    assert all(json.loads(gzip.decompress(request.content)) == {"items": [item]} for request in server.requests)
    assert all(len(request.content) < 200 for request in server.requests)


@pytest.mark.parametrize(("settings", "problem"), [({"gzip": True}, "2+3?"), ({}, "2+3? " * 300)])
def test_short_bodies_and_those_of_others_go_plain(driver, server, score_answer, settings, problem):
    server.reply(httpx.Response(200, json=score_answer))
    driver.call("score", [{"problem": problem, "steps": ["one", "two"]}], settings=settings)
    assert "content-encoding" not in server.requests[0].headers


def test_an_undecodable_body_is_a_bad_response(driver, server):
    server.reply(
        lambda request: httpx.Response(
            200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip at all")
        )
    )
    with pytest.raises(BadResponse, match="could not be decoded"):
        driver.call("score", [ITEM])


@pytest.mark.parametrize("failure", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.Response(200, text="x")])
def test_transport_errors_carry_the_request_id(driver, server, failure):
    server.reply(failure)
    with pytest.raises(TransportError) as caught:
        driver.call("score", [ITEM])
    assert caught.value.request_id == server.requests[0].headers["x-request-id"]


@pytest.mark.parametrize(("failure", "sent"), [(httpx.ConnectError("x"), False), (httpx.ReadError("x"), True)])
def test_a_failed_connection_says_whether_the_request_was_sent(driver, server, failure, sent):
    server.reply(failure)
    with pytest.raises(ConnectionFailed) as caught:
        driver.call("score", [ITEM])
    assert caught.value.sent is sent


def test_a_closed_port_is_a_failed_connection(driver):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    transport = httpx.HTTPTransport() if driver.mode == "sync" else httpx.AsyncHTTPTransport()
    with pytest.raises(ConnectionFailed, match="could not be reached"):
        driver.call("health", settings={"base_url": f"http://127.0.0.1:{port}", "transport": transport})


def test_a_server_that_hangs_up_is_a_failed_connection(driver):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)

        thread = threading.Thread(target=hang_up)
        thread.start()
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        transport = httpx.HTTPTransport() if driver.mode == "sync" else httpx.AsyncHTTPTransport()
        with pytest.raises(ConnectionFailed) as caught:
            driver.call("sample", "2+3?", settings={"base_url": base_url, "transport": transport})
        thread.join()
    assert caught.value.sent


def test_a_silent_server_times_out(driver):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        transport = httpx.HTTPTransport() if driver.mode == "sync" else httpx.AsyncHTTPTransport()
        settings = {"base_url": base_url, "transport": transport, "timeout_s": 0.05}
        with pytest.raises(TimedOut):
            driver.call("score", [ITEM], settings=settings)


def test_an_application_is_called_in_process():
    async def application(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"ready": true}'})

    async def run() -> bool:
        async with AsyncSurefootClient("http://app", transport=httpx.ASGITransport(application)) as client:
            return (await client.ready()).ready

    assert asyncio.run(run())


def test_a_cancelled_task_stays_cancelled(server):
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    async def run() -> None:
        async with AsyncSurefootClient(transport=httpx.MockTransport(never)) as client:
            await asyncio.wait_for(client.score([ITEM]), timeout=0.02)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(run())


def test_both_clients_have_the_same_methods_and_arguments():
    def face(client: type) -> dict[str, object]:
        methods = {name: method for name, method in inspect.getmembers(client, inspect.isfunction) if name[0] != "_"}
        signatures = {name: inspect.signature(method) for name, method in methods.items()}
        # A stream has a type of its own in asyncio; its name and its options are the same.
        options = {
            stream: [parameter for name, parameter in signatures.pop(stream).parameters.items() if name != "items"]
            for stream in ("score_iter", "best_of_n_stream")
        }
        signatures["close"] = signatures.pop("aclose", None) or signatures["close"]
        return {**signatures, **options}

    assert face(SurefootClient) == face(AsyncSurefootClient)

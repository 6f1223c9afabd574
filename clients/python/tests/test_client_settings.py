"""What a client is made with: its key, settings that cannot work, and a connection pool that is its own or not."""

import asyncio
import sys

import httpx
import pytest

from surefoot_client import AsyncSurefootClient, SurefootClient

ITEM = {"problem": "2+3?", "steps": ["one", "two"]}


def test_the_key_is_sent_as_a_bearer_token(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    driver.call("score", [ITEM], settings={"api_key": "sk-1"})
    assert server.requests[0].headers["authorization"] == "Bearer sk-1"


def test_without_a_key_that_of_the_environment_is_sent(driver, server, score_answer, monkeypatch):
    monkeypatch.setenv("SUREFOOT_API_KEY", "sk-2")
    server.reply(httpx.Response(200, json=score_answer))
    driver.call("score", [ITEM])
    assert server.requests[0].headers["authorization"] == "Bearer sk-2"


def test_a_key_that_is_given_comes_before_the_environments(driver, server, score_answer, monkeypatch):
    monkeypatch.setenv("SUREFOOT_API_KEY", "sk-2")
    server.reply(httpx.Response(200, json=score_answer))
    driver.call("score", [ITEM], settings={"api_key": "sk-1"})
    assert server.requests[0].headers["authorization"] == "Bearer sk-1"


@pytest.mark.parametrize("variable", [None, "", " "], ids=["unset", "empty", "blank"])
def test_no_key_sends_no_authorization(driver, server, score_answer, monkeypatch, variable):
    monkeypatch.delenv("SUREFOOT_API_KEY", raising=False)
    if variable is not None:
        monkeypatch.setenv("SUREFOOT_API_KEY", variable)
    server.reply(httpx.Response(200, json=score_answer))
    driver.call("score", [ITEM])
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("base_url", "127.0.0.1:8080"),
        ("base_url", "ftp://host"),
        ("base_url", "http://"),
        ("base_url", "http://host?key=1"),
        ("base_url", "http://[::1"),
        ("timeout_s", 0.0),
        ("timeout_s", float("nan")),
        ("sampling_timeout_s", float("inf")),
        ("connect_timeout_s", -1.0),
        ("attempt_timeout_s", 0.0),
        ("max_retries", -1),
        ("max_connections", 0),
        ("api_key", ""),
        ("api_key", "two words"),
        ("api_key", "line\nbreak"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(driver, setting, value):
    with pytest.raises(ValueError, match=setting) as caught:
        driver.call("health", settings={setting: value})
    assert setting != "api_key" or "words" not in str(caught.value)


@pytest.mark.parametrize("client", [SurefootClient, AsyncSurefootClient])
def test_http2_without_its_package_says_what_to_install(client, monkeypatch):
    monkeypatch.setitem(sys.modules, "h2", None)
    with pytest.raises(ImportError, match=r"httpx\[http2\]"):
        client(http2=True)


def test_a_call_beyond_the_last_connection_waits_for_one():
    async def run() -> int:
        async with AsyncSurefootClient(base_url, max_connections=2) as client:
            await asyncio.gather(*(client.health() for _ in range(6)))
        return most

    now = most = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.01)
        now -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async def served() -> int:
        nonlocal base_url
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            return await run()

    base_url = ""
    assert asyncio.run(served()) == 2


def test_transport_and_http_client_exclude_each_other(driver):
    with pytest.raises(ValueError, match="not both"):
        driver.call("health", settings={"http_client": object()})


def test_a_client_that_was_handed_in_is_used_and_stays_open(server):
    server.reply(httpx.Response(200, json={}))
    with httpx.Client(transport=httpx.MockTransport(server.handle)) as http_client:
        with SurefootClient(http_client=http_client) as client:
            assert client.health()
        assert not http_client.is_closed


def test_an_async_client_that_was_handed_in_is_used_and_stays_open(server):
    async def run() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(server.handle)) as http_client:
            async with AsyncSurefootClient(http_client=http_client) as client:
                assert await client.health()
            assert not http_client.is_closed

    server.reply(httpx.Response(200, json={}))
    asyncio.run(run())


def test_a_closed_client_refuses_to_work(server):
    client = SurefootClient(transport=httpx.MockTransport(server.handle))
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.health()


def test_a_closed_async_client_refuses_to_work(server):
    async def run() -> None:
        client = AsyncSurefootClient(transport=httpx.MockTransport(server.handle))
        await client.aclose()
        await client.health()

    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(run())

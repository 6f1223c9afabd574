"""HTTP/2 over TLS, as a proxy before the service speaks it, and packed bodies: the same answers."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.types import ASGIApp, Receive, Scope, Send

from surefoot.api.app import create_app
from surefoot.wiring.fake_service import FakeParts, build_fake_service
from surefoot_client import AsyncSurefootClient, SurefootClient

ITEM = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"]}


@dataclass
class Listening:
    """An app behind TLS, its address, and the protocol and peer of each request."""

    app: ASGIApp
    url: str
    seen: list[tuple[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.seen.append((scope["http_version"], tuple(scope["client"])))
        await self.app(scope, receive, send)


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listening]:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    listener = socket.create_server(("127.0.0.1", 0))
    config = Config()
    url = f"https://localhost:{listener.getsockname()[1]}"
    config.bind = [f"fd://{listener.detach()}"]
    config.certfile = config.keyfile = str(tmp_path / "server.pem")
    config.errorlog = None
    listening = Listening(create_app(build_fake_service(FakeParts()).service), url)
    stop = asyncio.Event()
    running = asyncio.create_task(serve(listening, config, shutdown_trigger=stop.wait))
    yield listening
    stop.set()
    await running


async def test_calls_at_once_share_one_connection(server) -> None:
    async with AsyncSurefootClient(server.url, http2=True) as client:
        first = await client.score([ITEM])
        answers = await asyncio.gather(*[client.score([ITEM]) for _ in range(8)])
    assert {answer.results[0].score for answer in answers} == {first.results[0].score}
    assert {protocol for protocol, _ in server.seen} == {"2"}
    assert len({peer for _, peer in server.seen}) == 1


async def test_the_blocking_client_speaks_it_too(server) -> None:
    def scored() -> float:
        with SurefootClient(server.url, http2=True) as client:
            return client.score([ITEM]).raise_for_failures()[0].score

    assert 0 < await asyncio.to_thread(scored) < 1
    assert server.seen[0][0] == "2"


async def test_without_the_option_it_is_http_1(server) -> None:
    async with AsyncSurefootClient(server.url) as client:
        await client.score([ITEM])
    assert server.seen[0][0] == "1.1"


async def test_packed_bodies_arrive(server) -> None:
    item = {"problem": "2 + 3? " * 300, "steps": ["2 + 3 = 5"]}
    async with AsyncSurefootClient(server.url, gzip=True) as packing, AsyncSurefootClient(server.url) as plain:
        packed, sent = await packing.score([item]), await plain.score([item])
    assert packed.results[0].score == sent.results[0].score

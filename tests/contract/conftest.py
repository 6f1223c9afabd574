"""The real client on top of the real app: in process, and over HTTP on a port of its own."""

import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from surefoot.api.app import create_app
from surefoot.wiring.fake_service import FakeParts, build_fake_service
from surefoot_client import AsyncSurefootClient


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Awaitable[AsyncSurefootClient]]]:
    """Starts an app over `FakeParts` given by keywords and connects a client that does not retry."""
    async with AsyncExitStack() as running:

        async def start(**parts: Any) -> AsyncSurefootClient:
            app = create_app(build_fake_service(FakeParts(**parts)).service)
            await running.enter_async_context(app.router.lifespan_context(app))
            transport = httpx.ASGITransport(app)
            client = AsyncSurefootClient("http://surefoot.test", transport=transport, max_retries=0)
            return await running.enter_async_context(client)

        yield start


@pytest.fixture
async def client(connect: Callable[..., Awaitable[AsyncSurefootClient]]) -> AsyncSurefootClient:
    """A client of the default models."""
    return await connect()


@dataclass
class Traffic:
    """Around an app: what it was sent, how it answered, and the most that was under way at once."""

    app: ASGIApp
    seen: list[tuple[str, int, float, str | None]] = field(default_factory=list)
    """Of each finished request its id, status, end and Retry-After."""
    begun: list[tuple[str, float]] = field(default_factory=list)
    now: int = 0
    most: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request_id = dict(scope["headers"]).get(b"x-request-id", b"").decode()
        self.begun.append((request_id, time.monotonic()))
        answering = iter([1])
        self.now += 1
        self.most = max(self.most, self.now)

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                retry_after = dict(message["headers"]).get(b"retry-after", b"").decode() or None
                self.seen.append((request_id, message["status"], time.monotonic(), retry_after))
            elif not message.get("more_body"):
                # Before its last byte is out, because that lets the client send the next one.
                self.now -= next(answering, 0)
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            self.now -= next(answering, 0)


@dataclass(frozen=True)
class HttpServer:
    """A running server, the fakes in it and its traffic."""

    url: str
    parts: FakeParts
    traffic: Traffic

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.005)


@contextmanager
def running_server_over(parts: FakeParts) -> Iterator[HttpServer]:
    """uvicorn in a thread over a fake service, on a free port."""
    traffic = Traffic(create_app(build_fake_service(parts).service))
    server = uvicorn.Server(uvicorn.Config(traffic, log_config=None, timeout_graceful_shutdown=2))
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            served = HttpServer(f"http://127.0.0.1:{listener.getsockname()[1]}", parts, traffic)
            served.until(lambda: server.started)
            yield served
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def running_http() -> Callable[[FakeParts], AbstractContextManager[HttpServer]]:
    """Runs a server for as long as its context lasts."""
    return running_server_over


@pytest.fixture
def serve_http() -> Iterator[Callable[..., HttpServer]]:
    """Starts a server over `FakeParts` given by keywords; stops it after the test."""
    with ExitStack() as running:
        yield lambda **parts: running.enter_context(running_server_over(FakeParts(**parts)))


@pytest.fixture(scope="module")
def running_server() -> Iterator[HttpServer]:
    """One server over the default fakes for all tests of a file."""
    with running_server_over(FakeParts()) as served:
        yield served

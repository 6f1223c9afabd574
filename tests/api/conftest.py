"""The real app over shipped fakes, a client of it in process, and requests below the level of an HTTP client."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from surefoot.api.app import create_app
from surefoot.wiring.fake_service import FakeParts, FakeService, build_fake_service


@dataclass(frozen=True)
class Api:
    """Speaks HTTP with an app; `parts` are the fakes in it."""

    parts: FakeParts
    fake: FakeService
    app: FastAPI
    http: httpx.AsyncClient

    async def post(self, path: str, body: Any, **options: Any) -> dict[str, Any]:
        """The answer's JSON; fails unless it is 200."""
        response = await self.http.post(path, json=body, **options)
        assert response.status_code == 200, response.text
        return response.json()

    async def refused(self, path: str, body: Any, status: int) -> dict[str, Any]:
        """The native error; fails unless the answer has that status and that shape."""
        response = await self.http.post(path, json=body)
        assert response.status_code == status, response.text
        return native_error(response)

    async def get(self, path: str) -> dict[str, Any]:
        response = await self.http.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 (a thread or another task makes it true)
                await asyncio.sleep(0.001)


def native_error(response: httpx.Response) -> dict[str, Any]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "type", "param"}
    return body["error"]


@pytest.fixture
def error_of() -> Callable[[httpx.Response], dict[str, Any]]:
    """The error of a response, whose shape must be the native one."""
    return native_error


Serve = Callable[..., Awaitable[Api]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts an app over `FakeParts` given by keywords; stops it after the test."""
    async with AsyncExitStack() as running:

        async def start(**parts: Any) -> Api:
            chosen = FakeParts(**parts)
            fake = build_fake_service(chosen)
            app = create_app(fake.service)
            await running.enter_async_context(app.router.lifespan_context(app))
            transport = httpx.ASGITransport(app)
            http = await running.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://test"))
            return Api(chosen, fake, app, http)

        yield start


@pytest.fixture
async def api(serve: Serve) -> Api:
    """The default models: prm, orm, reward (unbounded, mapped to (0, 1)) and raw (unbounded, not mapped)."""
    return await serve()


@dataclass
class RawCall:
    """One ASGI call whose client sends `body` and hangs up when `disconnect` is set."""

    path: str
    body: Any
    disconnect: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def run(self, app: Any) -> None:
        content = json.dumps(self.body).encode()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"content-type", b"application/json")],
            "client": ("test", 1),
            "server": ("test", 80),
        }
        messages = [{"type": "http.request", "body": content, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await self.disconnect.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        await app(scope, receive, send)


@pytest.fixture
def raw_call() -> type[RawCall]:
    return RawCall

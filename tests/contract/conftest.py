"""The real client on top of the real app, in process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

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

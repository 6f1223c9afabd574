"""The server that a verb talks to: one that is running, or the whole service in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import typer

from surefoot.cli.models import prepare_embedded
from surefoot.errors import NotReady
from surefoot.settings import Settings, load_settings
from surefoot_client import AsyncSurefootClient

if TYPE_CHECKING:
    from surefoot.api.service import Service

_POLL_S = 0.2

Build = Callable[[Settings], "Service"]
"""Makes the service that runs in this process."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the client waits: seconds a call, and further attempts while the server is busy."""

    timeout_s: float = 60.0
    sampling_timeout_s: float = 600.0
    max_retries: int = 2


FOR_FILES = Patience(timeout_s=900.0, sampling_timeout_s=3600.0, max_retries=8)
"""A long run rather waits for a busy server than stops."""


def build_prepared(settings: Settings) -> Service:
    """The real service; prepares the embedded base model with a progress bar first."""
    from surefoot.wiring import build_service

    prepare_embedded(settings.cache)
    return build_service(settings)


def build_of(context: typer.Context) -> Build:
    """What the program was started with: `context.obj`, or the real service."""
    build: Build = context.obj or build_prepared
    return build


@asynccontextmanager
async def connect(
    url: str | None,
    config: Path | None,
    build: Build = build_prepared,
    *,
    samples: bool = True,
    patience: Patience | None = None,
) -> AsyncIterator[AsyncSurefootClient]:
    """A client of the server at `url`, or of the whole service in this process: the same requests either way.

    In this process `config` is read, and without `samples` no generator is made.
    """
    patience = patience or Patience()
    if url is not None:
        async with _client(url, patience, None) as client:
            yield client
        return
    async with in_process(own_settings(config, samples=samples), build, patience) as client:
        yield client


def own_settings(config: Path | None, *, samples: bool) -> Settings:
    """The settings of a service that runs for one verb alone; without `samples` it has no generator."""
    settings = load_settings(config)
    if not samples:
        settings.generator.engine = "none"
    elif settings.generator.engine == "auto":
        settings.generator.engine = "transformers"
    return settings


def for_one_user(settings: Settings) -> Settings:
    """Nobody else reaches it: whoever runs the process needs no leave of it, and nobody waits behind its work."""
    scheduler = settings.scheduler
    whole = scheduler.max_bulk_batch_tokens or scheduler.max_queue_tokens
    return settings.model_copy(
        update={
            "auth": settings.auth.model_copy(update={"keys_file": None}),
            "scheduler": scheduler.model_copy(update={"max_bulk_batch_tokens": whole}),
            "generator": settings.generator.model_copy(update={"max_queue_s": 0.0}),
            "remote_generators": [
                remote.model_copy(update={"max_queue_s": 0.0}) for remote in settings.remote_generators
            ],
        }
    )


@asynccontextmanager
async def in_process(settings: Settings, build: Build, patience: Patience) -> AsyncIterator[AsyncSurefootClient]:
    """A client of the whole service in this process, once its models are ready. Raises `NotReady` if one fails."""
    from surefoot.api.app import create_app

    service = await asyncio.to_thread(build, for_one_user(settings))
    app = create_app(service)
    await service.start()
    try:
        while not service.registry.is_ready():
            failed = [state.detail for state in service.registry.states().values() if state.state == "failed"]
            if failed:
                raise NotReady(failed[0])
            await asyncio.sleep(_POLL_S)
        async with _client("http://in-process", patience, httpx.ASGITransport(app=app)) as client:
            yield client
    finally:
        await service.close()


def _client(url: str, patience: Patience, transport: httpx.AsyncBaseTransport | None) -> AsyncSurefootClient:
    return AsyncSurefootClient(
        url,
        timeout_s=patience.timeout_s,
        sampling_timeout_s=patience.sampling_timeout_s,
        max_retries=patience.max_retries,
        transport=transport,
    )

"""`models`, `reload`, `health` and `ready` of both clients, which inherit them from here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TypeVar

from surefoot_client import operations
from surefoot_client.calls import Call
from surefoot_client.catalog import ModelCatalog, ReadyState, Reloaded

T = TypeVar("T")


class Probes(ABC):
    """Asks a server for its state with the calls of a blocking client."""

    @abstractmethod
    def _run(self, call: Call[T], pause: Callable[[float], None] | None = None) -> T: ...

    def models(self) -> ModelCatalog:
        """The reward models and generators that the server offers."""
        return self._run(operations.models())

    def reload(self, model: str) -> Reloaded:
        """Have the server read a model's adapter again; it must offer admin routes, as `admin_routes` has it do."""
        return self._run(operations.reload(model))

    def health(self) -> bool:
        """Whether the server's process is alive; raises `ConnectionFailed` when nothing answers. Never retried."""
        return self._run(operations.health())

    def ready(self) -> ReadyState:
        """Whether the server takes requests, and the state of each model. Never retried."""
        return self._run(operations.ready())


class AsyncProbes(ABC):
    """Asks a server for its state with the calls of an asyncio client."""

    @abstractmethod
    def _run(self, call: Call[T]) -> Awaitable[T]: ...

    async def models(self) -> ModelCatalog:
        """The reward models and generators that the server offers."""
        return await self._run(operations.models())

    async def reload(self, model: str) -> Reloaded:
        """Have the server read a model's adapter again; it must offer admin routes, as `admin_routes` has it do."""
        return await self._run(operations.reload(model))

    async def health(self) -> bool:
        """Whether the server's process is alive; raises `ConnectionFailed` when nothing answers. Never retried."""
        return await self._run(operations.health())

    async def ready(self) -> ReadyState:
        """Whether the server takes requests, and the state of each model. Never retried."""
        return await self._run(operations.ready())

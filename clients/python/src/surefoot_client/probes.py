"""`models`, `reload`, `health` and `ready` of both clients, which inherit them from here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TypeVar

from surefoot_client import operations
from surefoot_client.calls import Call
from surefoot_client.catalog import ModelCatalog, ReadyState, Reloaded
from surefoot_client.servers import ServerState
from surefoot_client.settings import Settings

T = TypeVar("T")


class KnowsServers:
    """What a client knows of its servers without asking them."""

    _settings: Settings

    @property
    def servers(self) -> tuple[ServerState, ...]:
        """The servers as the calls so far found them, in the order of `base_url`."""
        return self._settings.servers.states(self._settings.clock())

    def _reload(self, model: str) -> Call[Reloaded]:
        if len(self.servers) > 1:
            raise ValueError("reload is for one server: make a client of each to reload them one after the other")
        return operations.reload(model)


class Probes(KnowsServers, ABC):
    """Asks a server for its state with the calls of a blocking client; of several, one that is well."""

    @abstractmethod
    def _run(self, call: Call[T], pause: Callable[[float], None] | None = None) -> T: ...

    def models(self) -> ModelCatalog:
        """The reward models and generators that the server offers."""
        return self._run(operations.models())

    def reload(self, model: str) -> Reloaded:
        """Have the server read a model's adapter again; it must offer admin routes, as `admin_routes` has it do."""
        return self._run(self._reload(model))

    def health(self) -> bool:
        """Whether the server's process is alive; raises `ConnectionFailed` when nothing answers. Never retried."""
        return self._run(operations.health())

    def ready(self) -> ReadyState:
        """Whether the server takes requests, and the state of each model. Never retried."""
        return self._run(operations.ready())


class AsyncProbes(KnowsServers, ABC):
    """Asks a server for its state with the calls of an asyncio client; of several, one that is well."""

    @abstractmethod
    def _run(self, call: Call[T]) -> Awaitable[T]: ...

    async def models(self) -> ModelCatalog:
        """The reward models and generators that the server offers."""
        return await self._run(operations.models())

    async def reload(self, model: str) -> Reloaded:
        """Have the server read a model's adapter again; it must offer admin routes, as `admin_routes` has it do."""
        return await self._run(self._reload(model))

    async def health(self) -> bool:
        """Whether the server's process is alive; raises `ConnectionFailed` when nothing answers. Never retried."""
        return await self._run(operations.health())

    async def ready(self) -> ReadyState:
        """Whether the server takes requests, and the state of each model. Never retried."""
        return await self._run(operations.ready())

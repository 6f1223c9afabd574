"""What the routes serve with: handed to them by wiring, reached through `request.app.state`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, get_args

from fastapi import Depends, Request

from surefoot.access import KeyRing
from surefoot.domain import Dialect, Message
from surefoot.errors import GeneratorNotFound, InvalidRequest, SamplerUnavailable
from surefoot.ports import Sampler, Telemetry
from surefoot.ranking import Ranker
from surefoot.registry import Registry
from surefoot.succession import Succession

ALL_DIALECTS: frozenset[Dialect] = frozenset(get_args(Dialect))


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one request, checked before any work is done."""

    max_body_bytes: int = 16 * 1024 * 1024
    max_items: int = 1024
    max_samples: int = 256
    max_steps: int = 1024
    body_timeout_s: float = 30.0
    request_timeout_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Generator:
    """A named sampler; `preface` are the turns put before a bare problem (never before messages)."""

    name: str
    model: str
    sampler: Sampler
    preface: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """The running parts behind the API. `metrics_text` gives Prometheus' exposition and its content type.

    `admin_routes` has the routes served that change what is served. With `keys` every request needs one of them, by
    the table of `api/guard.py`; /metrics only if `metrics_need_key`. Other systems' contracts are served that are among
    `dialects`.
    """

    registry: Registry
    succession: Succession
    generators: Mapping[str, Generator]
    ranker: Ranker
    telemetry: Telemetry
    limits: Limits
    metrics_text: Callable[[], tuple[bytes, str]]
    start: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]
    admin_routes: bool = False
    keys: KeyRing | None = None
    metrics_need_key: bool = False
    dialects: frozenset[Dialect] = ALL_DIALECTS

    def generator(self, name: str | None, *, param: str = "generator") -> Generator:
        """The named generator, or the first. Raises `GeneratorNotFound`, or `SamplerUnavailable` for none at all."""
        if not self.generators:
            raise SamplerUnavailable(
                "no generator is configured; set generator.engine or remote_generators, or send candidates to /rerank"
            )
        if name is None:
            return next(iter(self.generators.values()))
        if name not in self.generators:
            known = ", ".join(self.generators)
            raise GeneratorNotFound(f"there is no such generator; configured: {known}", param=param)
        return self.generators[name]

    def check_items(self, count: int, param: str) -> None:
        """Raises `InvalidRequest` for more items than one request may hold."""
        if count > self.limits.max_items:
            raise InvalidRequest(f"{param}: {count} items, at most {self.limits.max_items} a request", param=param)

    def check_samples(self, count: int, param: str) -> None:
        """Raises `InvalidRequest` for more candidates than one request may draw."""
        if count > self.limits.max_samples:
            raise InvalidRequest(
                f"{param}: {count} candidates, at most {self.limits.max_samples} a request", param=param
            )


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _request_id(request: Request) -> str:
    request_id: str = request.state.request_id
    return request_id


Serving = Annotated[Service, Depends(_service)]
RequestIdent = Annotated[str, Depends(_request_id)]

"""What all calls of one client share."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from surefoot_client.calls import Call
from surefoot_client.servers import Servers

T = TypeVar("T")

SERVER_GRACE_S = 5.0
"""How much longer than the server's own deadline the client waits, so that the server's typed answer can arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What all calls of one client share; raises `ValueError` for values that cannot work.

    `base_url` is one server or several, which `servers` keeps the health of. `timeout_s` and `sampling_timeout_s` are
    the whole time of one call, attempts and pauses together, in seconds; `attempt_timeout_s` is the longest silence in
    one attempt, after which scoring is tried again; `connect_timeout_s` bounds each connection attempt. `gzip` packs
    the bodies of requests. `clock` and `uniform` exist for tests.
    """

    base_url: str | Sequence[str]
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 60.0
    sampling_timeout_s: float = 600.0
    connect_timeout_s: float = 5.0
    attempt_timeout_s: float | None = None
    max_retries: int = 2
    max_connections: int = 50
    gzip: bool = False
    clock: Callable[[], float] = time.monotonic
    uniform: Callable[[float, float], float] = random.uniform
    servers: Servers = field(init=False, repr=False)

    def __post_init__(self) -> None:
        urls = [self.base_url] if isinstance(self.base_url, str) else list(self.base_url)
        _check_base_urls(urls)
        object.__setattr__(self, "servers", Servers(urls))
        for name in ("timeout_s", "sampling_timeout_s", "connect_timeout_s", "attempt_timeout_s"):
            seconds = getattr(self, name)
            if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
                raise ValueError(f"{name} must be a positive number of seconds")
        if self.max_connections < 1:
            raise ValueError("max_connections must be 1 or more")
        if self.max_retries < 0:
            raise ValueError("max_retries must be 0 or more")
        if self.api_key is not None and not _fits_header(self.api_key):
            raise ValueError("api_key must be printable ASCII without spaces")

    @property
    def limits(self) -> httpx.Limits:
        """Connections to all servers together; further calls wait for one.

        All may stay open: httpx keeps 20 by default, and closing the others under load costs time and, with threads,
        now and then a request that another thread has just begun on one.
        """
        return httpx.Limits(max_connections=self.max_connections, max_keepalive_connections=self.max_connections)

    def budget_s(self, call: Call[T]) -> float:
        """The whole time that `call` may take, never less than the server was given for it."""
        own_s = self.sampling_timeout_s if call.cost == "sampling" else self.timeout_s
        return own_s if call.server_timeout_s is None else max(0.0, call.server_timeout_s) + SERVER_GRACE_S


def _check_base_urls(urls: Sequence[str]) -> None:
    for url in urls:
        _check_base_url(url)
    if len({url.rstrip("/") for url in urls}) < max(1, len(urls)):
        raise ValueError("base_url must name at least one server, and none twice")


def _check_base_url(base_url: str) -> None:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise ValueError("base_url must look like http://host:port, without query or fragment")


def _fits_header(api_key: str) -> bool:
    return bool(api_key) and all("!" <= character <= "~" for character in api_key)

"""How a call unfolds over its attempts, without any input or output.

    step = begin(call, settings)
    while isinstance(step, Attempt):
        … wait step.pause_s, send it …
        step = step.after(outcome)
    return step.value

Both clients run this loop; they differ in how they wait and send.
"""

from __future__ import annotations

import logging
import math
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import httpx

from surefoot_client.calls import Call, Reply
from surefoot_client.errors import BadResponse, ConnectionFailed, ServerError, SurefootError, TimedOut, TransportError
from surefoot_client.retry import RETRY_RULES, backoff_s, deserves_retry
from surefoot_client.version import __version__

T = TypeVar("T")

SERVER_GRACE_S = 5.0
"""How much longer than the server's own deadline the client waits, so that the server's typed answer can arrive."""

CONNECTIONS = httpx.Limits(max_connections=50, max_keepalive_connections=50)
"""Further calls wait for a connection; the work of handing them out grows with waiting calls times connections.

All may stay open: httpx keeps 20 by default, and closing the others under load costs time and, with threads, now and
then a request that another thread has just begun on one.
"""

logger = logging.getLogger("surefoot_client")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What all calls of one client share; raises `ValueError` for values that cannot work.

    `timeout_s` and `sampling_timeout_s` are the whole time of one call, attempts and pauses together, in seconds;
    `connect_timeout_s` bounds each connection attempt. `clock` and `uniform` exist for tests.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 60.0
    sampling_timeout_s: float = 600.0
    connect_timeout_s: float = 5.0
    max_retries: int = 2
    clock: Callable[[], float] = time.monotonic
    uniform: Callable[[float, float], float] = random.uniform

    def __post_init__(self) -> None:
        _check_base_url(self.base_url)
        for name in ("timeout_s", "sampling_timeout_s", "connect_timeout_s"):
            seconds = getattr(self, name)
            if not (math.isfinite(seconds) and seconds > 0):
                raise ValueError(f"{name} must be a positive number of seconds")
        if self.max_retries < 0:
            raise ValueError("max_retries must be 0 or more")
        if self.api_key is not None and not _fits_header(self.api_key):
            raise ValueError("api_key must be printable ASCII without spaces")

    def budget_s(self, call: Call[T]) -> float:
        """The whole time that `call` may take, never less than the server was given for it."""
        own_s = self.sampling_timeout_s if call.cost == "sampling" else self.timeout_s
        return own_s if call.server_timeout_s is None else max(0.0, call.server_timeout_s) + SERVER_GRACE_S


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """The end of an exchange."""

    value: T


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """Wait `pause_s` seconds, then send this; `deadline` is on the settings' clock."""

    call: Call[T]
    settings: Settings
    request_id: str
    deadline: float
    num_failed: int = 0
    pause_s: float = 0.0

    @property
    def url(self) -> str:
        return self.settings.base_url.rstrip("/") + self.call.path

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the request; the request id stays the same over all attempts."""
        headers = {
            "accept": self.call.accept,
            "user-agent": f"surefoot-client/{__version__}",
            "x-request-id": self.request_id,
        }
        if self.call.body is not None:
            headers["content-type"] = "application/json"
        if self.settings.api_key is not None:
            headers["authorization"] = f"Bearer {self.settings.api_key}"
        return headers

    def timeout(self) -> httpx.Timeout:
        """What is left of the call's time, to be asked for after the pause."""
        # Zero would be refused by sockets with an error of its own; a millisecond simply times out.
        left_s = max(0.001, self.deadline - self.settings.clock())
        return httpx.Timeout(left_s, connect=min(left_s, self.settings.connect_timeout_s))

    def check_time(self) -> None:
        """Raise `httpx.ReadTimeout` past the deadline: a trickling answer never exceeds the socket's own timeout."""
        if self.settings.clock() > self.deadline:
            raise httpx.ReadTimeout("the answer trickled past the deadline")

    @contextmanager
    def in_stream(self) -> Iterator[None]:
        """Raises what fails inside as a `SurefootError` with the request's id: a begun stream is not sent again."""
        try:
            yield
        except httpx.RequestError as failure:
            error = transport_error(failure)
            error.request_id = self.request_id
            raise error from failure
        except SurefootError as error:
            error.request_id = error.request_id or self.request_id
            raise

    def after(self, outcome: Reply | httpx.RequestError) -> Answer[T] | Attempt[T]:
        """The answer, or the next attempt; raises a `SurefootError` when there is neither."""
        try:
            return Answer(self._read(outcome))
        except SurefootError as error:
            error.request_id = error.request_id or self.request_id
            pause_s = self._pause_after(error)
            if pause_s is None:
                raise
            reason = error.code if isinstance(error, ServerError) else type(error).__name__
        logger.info("%s failed (%s), retry in %.2f s, request %s", self.call.path, reason, pause_s, self.request_id)
        return replace(self, num_failed=self.num_failed + 1, pause_s=pause_s)

    def _read(self, outcome: Reply | httpx.RequestError) -> T:
        if isinstance(outcome, httpx.RequestError):
            raise transport_error(outcome) from outcome
        return self.call.read(outcome)

    def _pause_after(self, error: SurefootError) -> float | None:
        """Seconds to wait before the next attempt, `None` when there is to be none."""
        if self.num_failed >= self.settings.max_retries or not deserves_retry(error, RETRY_RULES[self.call.cost]):
            return None
        asked_s = (error.retry_after_s or 0.0) if isinstance(error, ServerError) else 0.0
        pause_s = asked_s + backoff_s(self.num_failed + 1, self.settings.uniform)
        return pause_s if self.settings.clock() + pause_s < self.deadline else None


def begin(call: Call[T], settings: Settings) -> Attempt[T]:
    """The first attempt at `call`."""
    return Attempt(call, settings, uuid.uuid4().hex, settings.clock() + settings.budget_s(call))


def transport_error(failure: httpx.RequestError) -> TransportError:
    """The client's own error for a failure below HTTP."""
    if isinstance(failure, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
        return ConnectionFailed("the server could not be reached; check base_url and that it runs", sent=False)
    if isinstance(failure, httpx.TimeoutException):
        return TimedOut("the call's time was up before the answer was complete")
    if isinstance(failure, (httpx.DecodingError, httpx.TooManyRedirects)):
        return BadResponse("the answer could not be decoded, or redirects without end")
    return ConnectionFailed("the connection broke before the answer was complete", sent=True)


def _check_base_url(base_url: str) -> None:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise ValueError("base_url must look like http://host:port, without query or fragment")


def _fits_header(api_key: str) -> bool:
    return bool(api_key) and all("!" <= character <= "~" for character in api_key)

"""How a call unfolds over its attempts, without any input or output.

    step = begin(call, settings)
    while isinstance(step, Attempt):
        … wait step.pause_s, send it …
        step = step.after(outcome)
    return step.value

Both clients run this loop; they differ in how they wait and send.
"""

from __future__ import annotations

import gzip
import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import httpx

from surefoot_client.calls import Call, Reply
from surefoot_client.errors import BadResponse, ConnectionFailed, ServerError, SurefootError, TimedOut, TransportError
from surefoot_client.retry import RETRY_RULES, backoff_s, deserves_retry, is_servers_fault
from surefoot_client.servers import PROBLEM_HEADER, Server, problem_mark
from surefoot_client.settings import Settings
from surefoot_client.version import __version__

T = TypeVar("T")

SMALLEST_PACKED = 1024
"""Bodies below so many bytes fit one packet anyway."""

logger = logging.getLogger("surefoot_client")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """The end of an exchange."""

    value: T


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """Wait `pause_s` seconds, then send this to `server`; `deadline` is on the settings' clock.

    `tried` are the servers that earlier attempts failed at. `packed` is the gzipped body, `None` where the call's own
    is sent.
    """

    call: Call[T]
    settings: Settings
    request_id: str
    deadline: float
    server: Server
    tried: tuple[Server, ...] = ()
    num_failed: int = 0
    pause_s: float = 0.0
    packed: bytes | None = None

    @property
    def body(self) -> bytes | None:
        """What is sent."""
        return self.packed or self.call.body

    @property
    def url(self) -> str:
        return self.server.url + self.call.path

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the request; the request id stays the same over all attempts."""
        headers = {
            "accept": self.call.accept,
            "user-agent": f"surefoot-client/{__version__}",
            "x-request-id": self.request_id,
        }
        if self.call.affinity is not None:
            headers[PROBLEM_HEADER] = problem_mark(self.call.affinity)
        if self.call.body is not None:
            headers["content-type"] = "application/json"
        if self.packed:
            headers["content-encoding"] = "gzip"
        if self.settings.api_key is not None:
            headers["authorization"] = f"Bearer {self.settings.api_key}"
        return headers

    def timeout(self) -> httpx.Timeout:
        """What is left of the call's time, to be asked for after the pause."""
        # Zero would be refused by sockets with an error of its own; a millisecond simply times out.
        left_s = max(0.001, self.deadline - self.settings.clock())
        longest_s = min(left_s, self._limit_s or left_s)
        connect_s = min(longest_s, self.settings.connect_timeout_s)
        # Waiting for a connection is waiting for one's turn, which no server is to blame for.
        return httpx.Timeout(longest_s, connect=connect_s, pool=left_s)

    @property
    def _limit_s(self) -> float | None:
        """The longest silence after which this is sent again: never for what must not run twice."""
        return self.settings.attempt_timeout_s if RETRY_RULES[self.call.cost].after_sent else None

    def under_way(self) -> AbstractContextManager[None]:
        """Counts the request at its server for as long as it lasts."""
        return self.settings.servers.under_way(self.server)

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
            self._note(error)
            raise error from failure
        except SurefootError as error:
            error.request_id = error.request_id or self.request_id
            self._note(error)
            raise
        self.settings.servers.succeeded(self.server)

    def after(self, outcome: Reply | httpx.RequestError) -> Answer[T] | Attempt[T]:
        """The answer, or the next attempt; raises a `SurefootError` when there is neither."""
        try:
            answer = Answer(self._read(outcome))
        except SurefootError as error:
            error.request_id = error.request_id or self.request_id
            self._note(error)
            following = self._following(error)
            if following is None:
                raise
            reason = error.code if isinstance(error, ServerError) else type(error).__name__
        else:
            self.settings.servers.succeeded(self.server)
            return answer
        logger.info(
            "%s failed (%s), retry in %.2f s, request %s", self.call.path, reason, following.pause_s, self.request_id
        )
        return following

    def _read(self, outcome: Reply | httpx.RequestError) -> T:
        if isinstance(outcome, httpx.RequestError):
            raise transport_error(outcome) from outcome
        return self.call.read(outcome)

    def _note(self, error: SurefootError) -> None:
        """Have other calls spare a server that failed."""
        # Waiting for a connection in vain says nothing of the server.
        if is_servers_fault(error) and not isinstance(error.__cause__, httpx.PoolTimeout):
            self.settings.servers.failed(self.server, self.settings.clock(), _asked_s(error))

    def _following(self, error: SurefootError) -> Attempt[T] | None:
        """The next attempt, `None` when there is to be none."""
        rule, is_limited = RETRY_RULES[self.call.cost], self._limit_s is not None
        if self.num_failed >= self.settings.max_retries or not deserves_retry(error, rule, is_limited=is_limited):
            return None
        now, tried = self.settings.clock(), (*self.tried, self.server)
        server = self.settings.servers.choose(self.call.affinity, now, tried)
        pause_s = self._pause_before(server, error, now)
        if now + pause_s >= self.deadline:
            return None
        return replace(self, server=server, tried=tried, num_failed=self.num_failed + 1, pause_s=pause_s)

    def _pause_before(self, server: Server, error: SurefootError, now: float) -> float:
        """No pause before another server that is well; else what the server asked for, and the backoff."""
        if server is not self.server and server.available_at <= now:
            return 0.0
        asked_s = _asked_s(error) if server is self.server else max(0.0, server.asked_until - now)
        return asked_s + backoff_s(self.num_failed + 1, self.settings.uniform)


def begin(call: Call[T], settings: Settings) -> Attempt[T]:
    """The first attempt at `call`."""
    now = settings.clock()
    server = settings.servers.choose(call.affinity, now)
    packs = settings.gzip and len(call.body or b"") >= SMALLEST_PACKED
    # Once for all attempts. Level 1: texts are as good as halved by more, at several times the cost.
    packed = gzip.compress(call.body or b"", compresslevel=1, mtime=0) if packs else None
    deadline = now + settings.budget_s(call)
    return Attempt(call, settings, uuid.uuid4().hex, deadline, server, packed=packed)


def transport_error(failure: httpx.RequestError) -> TransportError:
    """The client's own error for a failure below HTTP."""
    if isinstance(failure, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
        return ConnectionFailed("the server could not be reached; check base_url and that it runs", sent=False)
    if isinstance(failure, httpx.TimeoutException):
        return TimedOut("the call's time was up before the answer was complete")
    if isinstance(failure, (httpx.DecodingError, httpx.TooManyRedirects)):
        return BadResponse("the answer could not be decoded, or redirects without end")
    return ConnectionFailed("the connection broke before the answer was complete", sent=True)


def _asked_s(error: SurefootError) -> float:
    return (error.retry_after_s or 0.0) if isinstance(error, ServerError) else 0.0

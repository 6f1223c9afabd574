"""HTTP servers that are asked over a network: where they are, when to ask again, and what their failures mean.

No message here holds a key, nor anything that was sent or that a server wrote: its errors may quote the prompt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

RETRIED_STATUS = frozenset({429, 502, 503})
RETRIED_FAILURES = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadError, httpx.RemoteProtocolError)
_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 8.0


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """Where a server is and how it is spoken to. `timeout_s` bounds one answer, its retries included."""

    url: str
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 300.0
    connect_timeout_s: float = 5.0
    max_concurrent: int = 64
    max_retries: int = 3

    @property
    def base(self) -> str:
        """The address without `/v1`, which may be given or left out."""
        return self.url.rstrip("/").removesuffix("/v1")

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        return httpx.URL(self.url).netloc.decode()


def retry_delay_s(attempt: int, retry_after: str | None, *, jitter: float, now: datetime) -> float:
    """Seconds before attempt `attempt + 1` (the first is 0): half to all of 0.5, 1, 2, … 8 by `jitter` in [0, 1], and
    never less than the server's `Retry-After`, which is seconds or a date (RFC 9110, section 10.2.3)."""
    backoff = min(_FIRST_DELAY_S * 2.0**attempt, _LONGEST_DELAY_S) * (0.5 + jitter / 2)
    return max(backoff, _retry_after_s(retry_after, now))


def _retry_after_s(value: str | None, now: datetime) -> float:
    if value is None:
        return 0.0
    if value.strip().isdecimal():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()


_REASONS: tuple[tuple[type[httpx.TransportError], str], ...] = (
    (httpx.ConnectTimeout, "did not accept a connection in time"),
    (httpx.ConnectError, "cannot be reached"),
    (httpx.TimeoutException, "gave no answer in time"),
)


def failure_reason(cause: httpx.TransportError) -> str:
    """What a broken exchange means, to follow the server's name."""
    for kind, said in _REASONS:
        if isinstance(cause, kind):
            return said
    return f"broke off the connection ({type(cause).__name__})"

"""When a failed attempt is tried again, and how long to wait before it. Pure policy: no clock, no input or output."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Literal

from surefoot_client.errors import ConnectionFailed, ServerError, SurefootError, TimedOut, TransportError

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 8.0

SPARED_AFTER = frozenset({429, 502, 503})
"""The statuses that say something of a server rather than of what it was sent."""

Cost = Literal["scoring", "sampling", "probe"]


@dataclass(frozen=True, slots=True)
class RetryRule:
    """Which failures deserve another attempt.

    `after_sent`: also when the connection broke after the server may have received the request.
    """

    statuses: frozenset[int]
    unreachable: bool
    after_sent: bool


RETRY_RULES: Mapping[Cost, RetryRule] = MappingProxyType(
    {
        "scoring": RetryRule(statuses=frozenset({429, 502, 503}), unreachable=True, after_sent=True),
        # Sampling is dear and a repeat draws anew: only what certainly did not start is tried again.
        "sampling": RetryRule(statuses=frozenset({429, 503}), unreachable=True, after_sent=False),
        # A probe reports what is so now; whoever polls does the waiting.
        "probe": RetryRule(statuses=frozenset(), unreachable=False, after_sent=False),
    }
)


def deserves_retry(error: SurefootError, rule: RetryRule, *, is_limited: bool = False) -> bool:
    """Whether `rule` allows another attempt after `error`; `is_limited`: attempts end before the call's time is up."""
    if isinstance(error, ServerError):
        return error.status in rule.statuses
    if isinstance(error, ConnectionFailed):
        return rule.after_sent if error.sent else rule.unreachable
    return isinstance(error, TimedOut) and is_limited


def is_servers_fault(error: SurefootError) -> bool:
    """Whether other calls do well to spare the server that `error` came from."""
    if isinstance(error, ServerError):
        return error.status in SPARED_AFTER
    return isinstance(error, TransportError)


def cooldown_s(num_failed: int) -> float:
    """Seconds for which a server is spared after it failed `num_failed` times in a row: min(8, 0.5 · 2^(n-1))."""
    return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(num_failed - 1, 10))


def backoff_s(num_failed: int, uniform: Callable[[float, float], float]) -> float:
    """Seconds to wait after `num_failed` attempts (1 or more): exponential with full jitter.

    Drawn from [0, min(8, 0.5 · 2^(num_failed-1))], so that clients that failed together do not come back together.
    """
    return uniform(0.0, cooldown_s(num_failed))


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """The seconds that a `Retry-After` header (a number or an HTTP date) asks for; `None` when it says nothing."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        return _until(header, now)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(http_date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - now).total_seconds())

"""Which request something is done for, and which trace the request is part of (W3C Trace Context)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_NO_TRACE, _NO_SPAN, _NO_VERSION, _STRICT_VERSION = "0" * 32, "0" * 16, "ff", "00"
_SAMPLED = 1
_STATE_MEMBER = re.compile(r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]", re.ASCII)
_MAX_STATE_MEMBERS, _MAX_STATE_CHARACTERS = 32, 512


def _new_span() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Trace:
    """The trace that a caller has begun, and this request's own span in it, whose parent is the caller's. Ids are
    lower-case hexadecimal."""

    trace_id: str
    is_sampled: bool
    state: str = ""
    span_id: str = field(default_factory=_new_span)
    parent_id: str = _NO_SPAN

    @property
    def headers(self) -> Mapping[str, str]:
        """What tells a server that it is asked on behalf of this span."""
        parent = {"traceparent": f"00-{self.trace_id}-{self.span_id}-{int(self.is_sampled):02x}"}
        return parent | {"tracestate": self.state} if self.state else parent


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A request's id, and its trace where its caller sent one."""

    request_id: str
    trace: Trace | None = None


_request: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def current_request() -> RequestContext | None:
    """The request that this is done for; `None` for what serves many, and for the service's own work."""
    return _request.get()


def trace_headers() -> Mapping[str, str]:
    """Headers for a server that is asked for this request; none where the caller has sent no trace."""
    request = _request.get()
    return {} if request is None or request.trace is None else request.trace.headers


@contextmanager
def within_request(request: RequestContext) -> Iterator[None]:
    """All that is begun within is done for this request, tasks and `asyncio.to_thread` included."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def read_trace(parents: Sequence[str], states: Sequence[str]) -> Trace | None:
    """The trace in the values of the headers `traceparent` and `tracestate`, with a new span.

    `None` without a `traceparent`, with several, and with one that is not well-formed: no trace is invented. A
    `tracestate` that is not well-formed, or longer than the 512 characters that must be passed on, is left out
    (https://www.w3.org/TR/trace-context-1/, sections 3.2 and 3.3).
    """
    found = _TRACEPARENT.fullmatch(parents[0]) if len(parents) == 1 else None
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version == _NO_VERSION or (version == _STRICT_VERSION and more) or trace_id == _NO_TRACE:
        return None
    if parent_id == _NO_SPAN:
        return None
    is_sampled = bool(int(flags, 16) & _SAMPLED)
    return Trace(trace_id, is_sampled, _good_state(",".join(states)), parent_id=parent_id)


def _good_state(state: str) -> str:
    members = [member.strip(" \t") for member in state.split(",")]
    members = [member for member in members if member]
    is_good = len(members) <= _MAX_STATE_MEMBERS and all(_STATE_MEMBER.fullmatch(member) for member in members)
    joined = ",".join(members)
    return joined if is_good and len(joined) <= _MAX_STATE_CHARACTERS else ""

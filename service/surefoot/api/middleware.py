"""What every request passes through: an id, a bound on its body, and a measurement."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Callable
from hashlib import blake2b

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from surefoot.api.compressed_bodies import ENCODINGS, encoding_of
from surefoot.api.errors import STATUS, error_response
from surefoot.api.service import Limits
from surefoot.callers import NOBODY, called_by
from surefoot.errors import BodyTimeout, BodyTooLarge, RequestError, UnsupportedEncoding
from surefoot.log_lines import log_origin, with_fields
from surefoot.request_context import RequestContext, read_trace, within_request

log = logging.getLogger(__name__)
access_log = logging.getLogger("surefoot.access_log")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ADDRESS = re.compile(r"[\w.:%\[\]\-]{1,64}", re.ASCII)
_GOOD_ID = re.compile(r"[\w.:\-]{1,128}", re.ASCII)


class RequestId:
    """Echoes `x-request-id`, or makes one; `scope["state"]["request_id"]` holds it.

    All that is done for the request knows its id, and the trace that its `traceparent` names, where there is one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _GOOD_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        trace = read_trace(_values(scope, b"traceparent"), _values(scope, b"tracestate"))
        with within_request(RequestContext(request_id, trace)):
            await self._app(scope, receive, send_with_id)


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for header, value in scope["headers"] if header == name]


def address_of(scope: Scope) -> str:
    """Where a request comes from; nobody's where that is unknown, or no address: a proxy's header can say anything."""
    address: str = (scope.get("client") or (NOBODY,))[0]
    return address if _ADDRESS.fullmatch(address) else NOBODY


class Caller:
    """Tells whose work a request is where no keys are configured: that of whatever key it brings, else of its address.

    The key itself goes no further. With keys `KeyGuard` does this, for those alone that it knows.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        key = dict(scope["headers"]).get(b"authorization")
        caller = address_of(scope) if key is None else f"key {blake2b(key, digest_size=8).hexdigest()}"
        scope.setdefault("state", {})["caller"] = caller
        with called_by(caller):
            await self._app(scope, receive, send)


class Measured:
    """Counts and logs each request by route template and status: odd paths can neither blow up the label set, nor put
    what they hold into the log."""

    def __init__(self, app: ASGIApp, finished: Callable[[str, int, float], None]) -> None:
        self._app = app
        self._finished = finished

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        # nginx's 499: the client left before there was an answer.
        status = 499

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            seconds = time.perf_counter() - started
            self._finished(route, status, seconds)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            caller = scope.get("state", {}).get("caller")
            fields = with_fields(method=method, route=route, status=status, seconds=round(seconds, 6), caller=caller)
            access_log.info("%s %s %d in %.3f s", method, route, status, seconds, extra=fields)


class BodyLimit:
    """Refuses bodies that are too large, that arrive too slowly, or that are packed in a way nobody reads."""

    def __init__(self, app: ASGIApp, limits: Callable[[], Limits]) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limits = self._limits()
        refused = _refused_by(dict(scope["headers"]), limits.max_body_bytes)
        if refused is not None:
            answer = error_response(STATUS[refused.code], refused.code, refused.message, path=scope["path"])
            await answer(scope, receive, send)
            return
        received = 0
        is_whole = False
        deadline = asyncio.get_running_loop().time() + limits.body_timeout_s

        async def receive_within_limits() -> Message:
            nonlocal received, is_whole
            try:
                # Behind the whole body only the client's leaving is waited for, however long the work takes.
                async with asyncio.timeout_at(None if is_whole else deadline):
                    message = await receive()
            except TimeoutError as cause:
                waited = f"{limits.body_timeout_s:g} s"
                said = f"the body did not arrive within {waited}; send it faster, or in smaller requests"
                raise _while_reading(BodyTimeout(said), connection="close") from cause
            received += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if received > limits.max_body_bytes:
                raise _while_reading(_too_large(limits.max_body_bytes))
            return message

        await self._app(scope, receive_within_limits, send)


def _refused_by(headers: dict[bytes, bytes], max_bytes: int) -> RequestError | None:
    """What the headers alone show to be wrong."""
    if encoding_of(headers) not in ENCODINGS:
        return UnsupportedEncoding("the body's content-encoding is unknown here; send it gzipped, or plain without one")
    declared = headers.get(b"content-length", b"0")
    return _too_large(max_bytes) if declared.isdigit() and int(declared) > max_bytes else None


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is larger than {max_bytes} bytes; send less at once")


def _while_reading(error: RequestError, **headers: str) -> HTTPException:
    """While a route reads its body only an HTTPException comes through as it is."""
    return HTTPException(STATUS[error.code], error.message, headers)


class Unexpected:
    """Answers 500 to what nobody foresaw. The log gets where it happened, never the message: it may quote user text."""

    def __init__(self, app: ASGIApp, count_error: Callable[[str], None]) -> None:
        self._app = app
        self._count_error = count_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            log_origin(log, "unexpected error", error)
            self._count_error("internal_error")
            said = "an unexpected error; the log has it"
            response = error_response(500, "internal_error", said, path=scope["path"])
            await response(scope, receive, send)

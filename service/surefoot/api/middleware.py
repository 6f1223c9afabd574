"""What every request passes through: an id, a bound on its body, and a measurement."""

from __future__ import annotations

import logging
import re
import time
import traceback
import uuid
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from surefoot.api.errors import error_response
from surefoot.errors import BodyTooLarge

log = logging.getLogger(__name__)

_GOOD_ID = re.compile(r"[\w.:\-]{1,128}", re.ASCII)


class RequestId:
    """Echoes `x-request-id`, or makes one; `scope["state"]["request_id"]` holds it."""

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

        await self._app(scope, receive, send_with_id)


class Measured:
    """Counts each request by route template and status, so that odd paths cannot blow up the label set."""

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
            self._finished(route, status, time.perf_counter() - started)


class BodyLimit:
    """Refuses bodies above a size, by their declared length at once and by what arrives otherwise."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._refusal = f"the body is larger than {max_bytes} bytes; send less at once"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._max_bytes:
            await error_response(413, BodyTooLarge.code, self._refusal)(scope, receive, send)
            return
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                # While a route reads its body only an HTTPException comes through as it is.
                raise HTTPException(413, self._refusal)
            return message

        await self._app(scope, receive_within_limit, send)


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
            log.error("unexpected error: %s", _origin(error))  # noqa: TRY400  exc_info would print the message
            self._count_error("internal_error")
            response = error_response(500, "internal_error", "an unexpected error; the log has it")
            await response(scope, receive, send)


def _origin(error: BaseException | None) -> str:
    """The classes and the stacks of an error and of what caused it."""
    parts: list[str] = []
    while error is not None:
        parts.append(f"{type(error).__qualname__}\n{''.join(traceback.format_tb(error.__traceback__))}")
        error = error.__cause__ or error.__context__
    return "caused by ".join(parts)

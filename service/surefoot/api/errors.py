"""The only room that knows HTTP status numbers."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from surefoot.errors import QueueFull, RequestError, SurefootError, UnrecognisedBody

STATUS: Mapping[str, int] = {
    "invalid_request": 422,
    "unrecognised_body": 400,
    "aggregation_not_defined": 422,
    "model_not_found": 404,
    "generator_not_found": 404,
    "wrong_model_kind": 422,
    "queue_full": 429,
    "group_too_large": 413,
    "body_too_large": 413,
    "request_timeout": 504,
    "not_ready": 503,
    "sampler_unavailable": 503,
    "input_too_long": 422,
    "unsupported_messages": 422,
    "unsafe_text": 422,
}
"""Status of each code that can be the answer to a whole request; /sample has no items to hang an item's error on."""

_PLAIN_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
_NATIVE_KEYS = {"items", "problem", "candidates", "strategy", "messages", "query", "documents"}
_SHARED_PATHS = {"/score", "/rerank"}
"""Bare paths that other systems use too: a body without a native key may be theirs, and is not ours with a mistake."""
_RETRY_AFTER_S = 1.0


def error_response(
    status: int, code: str, message: str, *, param: str | None = None, retry_after_s: float | None = None
) -> JSONResponse:
    """The native error body; 429 and 503 say when to come back."""
    if retry_after_s is None and status in (429, 503):
        retry_after_s = _RETRY_AFTER_S
    headers = {} if retry_after_s is None else {"retry-after": str(math.ceil(retry_after_s))}
    body = {"error": {"code": code, "message": message, "type": _type_of(status), "param": param}}
    return JSONResponse(body, status, headers)


def install_error_handlers(app: FastAPI, count_error: Callable[[str], None]) -> None:
    """Answer every error in the native shape, and count it by code."""

    def counted(code: str, response: JSONResponse) -> JSONResponse:
        count_error(code)
        return response

    async def on_surefoot_error(_: Request, error: SurefootError) -> JSONResponse:
        retry = error.retry_after_s if isinstance(error, QueueFull) else None
        status = STATUS.get(error.code, 500)
        return counted(
            error.code, error_response(status, error.code, error.message, param=error.param, retry_after_s=retry)
        )

    async def on_malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return counted("bad_request", error_response(400, "bad_request", "the body is not valid JSON"))
        body = error.body
        if isinstance(body, bytes):
            said = "the body is not declared as JSON: send it with content-type: application/json"
            return counted("bad_request", error_response(400, "bad_request", said))
        if request.url.path in _SHARED_PATHS and isinstance(body, dict) and body and not _NATIVE_KEYS & set(body):
            unknown = UnrecognisedBody("the body has none of the fields of this API; see /docs")
            return await on_surefoot_error(request, unknown)
        message = first["msg"].removeprefix("Value error, ")
        param = param_path(first["loc"]) or None
        said = f"{param}: {message}" if param else message
        return counted("invalid_request", error_response(422, "invalid_request", said, param=param))

    async def on_http(_: Request, error: HTTPException) -> JSONResponse:
        code = _PLAIN_CODES.get(error.status_code, "http_error")
        response = error_response(error.status_code, code, str(error.detail))
        response.headers.update(error.headers or {})
        return counted(code, response)

    async def on_disconnect(_: Request, error: ClientDisconnect) -> Response:  # noqa: ARG001
        return Response(status_code=499)

    handlers: dict[type[Exception], Callable[[Request, Any], Awaitable[Response]]] = {
        SurefootError: on_surefoot_error,
        RequestValidationError: on_malformed,
        HTTPException: on_http,
        ClientDisconnect: on_disconnect,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def param_path(location: Sequence[str | int]) -> str:
    """`("body", "items", 0, "problem")` as `items[0].problem`."""
    path = ""
    for part in location[1:] if location and location[0] in ("body", "query", "path") else location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def error_responses(*errors: type[RequestError]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the statuses that a route may answer with."""
    from surefoot.api.schemas.common import ErrorResponse

    statuses = {400, 413, 422, 503, *(STATUS[error.code] for error in errors)}
    return {status: {"model": ErrorResponse} for status in sorted(statuses)}


def _type_of(status: int) -> str:
    if status == 429:
        return "overloaded_error"
    return "server_error" if status >= 500 else "invalid_request_error"

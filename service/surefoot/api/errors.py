"""HTTP statuses of all errors, and the answers they become; only this room and the error shapes know the numbers."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from surefoot.api.dialects.shapes import shape_of
from surefoot.api.error_shapes import Refusal
from surefoot.errors import QueueFull, SurefootError, UnrecognisedBody

STATUS: Mapping[str, int] = {
    "invalid_request": 422,
    "unrecognised_body": 400,
    "aggregation_not_defined": 422,
    "unauthorized": 401,
    "forbidden": 403,
    "model_not_found": 404,
    "generator_not_found": 404,
    "wrong_model_kind": 422,
    "adapter_not_configured": 422,
    "candidate_not_configured": 422,
    "model_state_conflict": 409,
    "checkpoint_missing": 422,
    "checkpoint_damaged": 422,
    "checkpoint_refused": 422,
    "out_of_memory": 422,
    "settings_invalid": 422,
    "profile_ambiguous": 422,
    "adapter_invalid": 422,
    "adapter_mismatch": 422,
    "profile_invalid": 422,
    "self_check_failed": 422,
    "queue_full": 429,
    "group_too_large": 413,
    "body_too_large": 413,
    "body_timeout": 408,
    "unsupported_encoding": 415,
    "request_timeout": 504,
    "not_ready": 503,
    "sampler_unavailable": 503,
    "too_many_steps": 422,
    "input_too_long": 422,
    "unsupported_messages": 422,
    "unsafe_text": 422,
    "no_steps": 422,
    "empty_problem": 422,
    "empty_step": 422,
    "deadline_exceeded": 504,
    "model_stopped": 503,
}
"""Status of each code that can be the answer to a whole request; /sample and the dialects have no items to hang an
item's error on, and a chat completion has none to answer with where every candidate failed. A reload and a
candidate are refused for what would otherwise keep a model from starting."""

_PLAIN_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "body_timeout",
    413: "body_too_large",
}
_NATIVE_KEYS = {"items", "problem", "candidates", "strategy", "messages", "query", "documents"}
_SHARED_PATHS = {"/score", "/rerank"}
"""Bare paths that other systems use too: a body without a native key may be theirs, and is not ours with a mistake."""
_RETRY_AFTER_S = 1.0
_MAX_PARAM_CHARS = 200


def error_response(
    status: int,
    code: str,
    message: str,
    *,
    param: str | None = None,
    retry_after_s: float | None = None,
    path: str = "",
) -> JSONResponse:
    """An error as callers of `path` know it, or else natively; 429 and 503 say when to come back."""
    if retry_after_s is None and status in (429, 503):
        retry_after_s = _RETRY_AFTER_S
    headers = {} if retry_after_s is None else {"retry-after": str(math.ceil(retry_after_s))}
    shape = shape_of(path)
    refusal = Refusal(shape.status(status), code, message, param)
    return JSONResponse(shape.body(refusal), refusal.status, headers)


def install_error_handlers(app: FastAPI, count_error: Callable[[str], None]) -> None:
    """Answer every error in the shape that its path's callers know, and count it by code."""

    def refused(request: Request, status: int, code: str, message: str, **further: Any) -> JSONResponse:
        count_error(code)
        return error_response(status, code, message, **further, path=request.url.path)

    async def on_surefoot_error(request: Request, error: SurefootError) -> JSONResponse:
        retry = error.retry_after_s if isinstance(error, QueueFull) else None
        status = STATUS.get(error.code, 500)
        return refused(request, status, error.code, error.message, param=error.param, retry_after_s=retry)

    async def on_malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return refused(request, 400, "bad_request", "the body is not valid JSON")
        body = error.body
        if isinstance(body, bytes):
            said = "the body is not declared as JSON: send it with content-type: application/json"
            return refused(request, 400, "bad_request", said)
        if request.url.path in _SHARED_PATHS and isinstance(body, dict) and body and not _NATIVE_KEYS & set(body):
            unknown = UnrecognisedBody("the body has none of the fields of this API; see /docs")
            return await on_surefoot_error(request, unknown)
        message = first["msg"].removeprefix("Value error, ")
        param = param_path(first["loc"]) or None
        said = f"{param}: {message}" if param else message
        return refused(request, 422, "invalid_request", said, param=param)

    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        code = _PLAIN_CODES.get(error.status_code, "http_error")
        response = refused(request, error.status_code, code, str(error.detail))
        response.headers.update(error.headers or {})
        return response

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
    """`("body", "items", 0, "problem")` as `items[0].problem`; cut, because an unknown field's name can be any text."""
    path = ""
    for part in location[1:] if location and location[0] in ("body", "query", "path") else location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path if len(path) <= _MAX_PARAM_CHARS else path[:_MAX_PARAM_CHARS] + "…"


def error_responses(*errors: type[SurefootError], path: str = "") -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the statuses that a route may answer with, in the shape of its `path`."""
    shape = shape_of(path)
    native = {400, 401, 403, 408, 413, 415, 422, 503, *(STATUS[error.code] for error in errors)}
    statuses = {shape.status(status) for status in native}
    entries: dict[int | str, dict[str, Any]] = {status: {"model": shape.model} for status in sorted(statuses)}
    if 422 not in statuses:
        # FastAPI documents a 422 of its own shape where neither that nor a default is declared.
        entries["default"] = {"model": shape.model, "description": "Any other error"}
    return entries

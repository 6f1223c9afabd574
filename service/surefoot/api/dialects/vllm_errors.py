"""Errors as vLLM's servers write them: the code is the HTTP status, and what does not fit a schema is a 400."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from surefoot.api.error_shapes import ErrorShape, Refusal
from surefoot.api.schemas.common import Response

_TYPES = {400: "BadRequestError", 404: "NotFoundError", 500: "InternalServerError", 503: "ServiceUnavailableError"}


class VllmErrorInfo(Response):
    """What went wrong; `code` is the HTTP status."""

    message: str
    type: str
    param: str | None
    code: int


class VllmErrorResponse(Response):
    """What every error looks like to clients of vLLM."""

    error: VllmErrorInfo


def _body(refusal: Refusal) -> dict[str, Any]:
    kind = _TYPES.get(refusal.status) or HTTPStatus(refusal.status).phrase
    return {
        "error": {"message": refusal.message, "type": kind, "param": refusal.param, "code": refusal.status},
    }


VLLM = ErrorShape(_body, VllmErrorResponse, {422: 400})

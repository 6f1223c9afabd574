"""How each system's clients know errors, and which paths are whose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from surefoot.api.dialects.vllm_errors import VLLM
from surefoot.api.error_shapes import NATIVE, ErrorShape, Refusal
from surefoot.api.schemas.common import Response


class CohereError(Response):
    """What every error looks like to clients of Cohere."""

    message: str


class DetailError(Response):
    """What every error looks like to clients of servers that are built on FastAPI, as Jina's is."""

    detail: str


class TeiError(Response):
    """What every error looks like to clients of Text Embeddings Inference."""

    error: str
    error_type: str


class OpenrError(Response):
    """What every error looks like to clients of openr's workers; the controller's are told by an empty `address`."""

    text: str
    error_code: int
    address: str = ""


_TEI_TYPES = {429: "overloaded", 503: "unhealthy", 504: "unhealthy"}


def _tei_body(refusal: Refusal) -> dict[str, Any]:
    kind = _TEI_TYPES.get(refusal.status) or ("backend" if refusal.status in (424, 500) else "validation")
    return {"error": refusal.message, "error_type": kind}


def _openr_body(refusal: Refusal) -> dict[str, Any]:
    return {"text": refusal.message, "error_code": refusal.status, "address": ""}


COHERE = ErrorShape(lambda refusal: {"message": refusal.message}, CohereError)
DETAIL = ErrorShape(lambda refusal: {"detail": refusal.message}, DetailError)
TEI = ErrorShape(_tei_body, TeiError, {500: 424})
OPENR = ErrorShape(_openr_body, OpenrError)

_SHAPES: Mapping[str, ErrorShape] = {
    **dict.fromkeys(("/pooling", "/classify", "/v1/score", "/v1/rerank", "/v2/rerank"), VLLM),
    "/predict": TEI,
    "/get_reward": DETAIL,
}
_SHAPES_BELOW: Mapping[str, ErrorShape] = {
    "/cohere/": COHERE,
    "/jina/": DETAIL,
    "/tei/": TEI,
    "/slime/": DETAIL,
    "/openr/": OPENR,
}


def shape_of(path: str) -> ErrorShape:
    """The shape that callers of `path` know; native wherever no other system's clients are at home."""
    if path in _SHAPES:
        return _SHAPES[path]
    return next((shape for start, shape in _SHAPES_BELOW.items() if path.startswith(start)), NATIVE)

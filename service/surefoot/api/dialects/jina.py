"""`POST /v1/rerank` as Jina's clients know it: give them the URL `…/jina/v1/rerank`.

Relevance is inside [0, 1] there, so that a score on another scale goes through its profile's map.
"""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter

from surefoot.api.dialects.rerank_wire import RankedDocument, RerankRequest, ranked
from surefoot.api.dialects.score_scale import scaled
from surefoot.api.dialects.scored import Calling
from surefoot.api.dialects.vllm_wire import VllmUsage
from surefoot.api.errors import error_responses
from surefoot.api.schemas.common import Response
from surefoot.domain import ScoreTask
from surefoot.errors import AggregationNotDefined, GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout

router = APIRouter(prefix="/jina", tags=["dialects"])
_ERRORS = error_responses(
    AggregationNotDefined, ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout, path="/jina/v1/rerank"
)


class JinaRequest(RerankRequest):
    """A problem and the solutions to put in order; fields that are not listed are ignored."""

    return_documents: bool | None = True


class JinaResponse(Response):
    """Documents by descending relevance."""

    model: str
    object: Literal["list"]
    usage: VllmUsage
    results: list[RankedDocument]


@router.post(
    "/v1/rerank",
    response_model=JinaResponse,
    response_model_exclude_unset=True,
    responses=_ERRORS,
    summary="Solutions in order as Jina gives them",
)
async def rerank(body: JinaRequest, call: Calling) -> dict[str, Any]:
    """The query is the problem, the documents are its solutions; the best come first."""
    model = call.model(body.model)
    scored = await call.score(model, [ScoreTask(body.query, solution=text) for text in body.documents], "documents")
    scores = [scaled(model.line.profile, score, "unit", "model") for score in scored.scores]
    return {
        "model": model.card.name,
        "object": "list",
        "usage": {"prompt_tokens": scored.num_tokens, "total_tokens": scored.num_tokens},
        "results": ranked(scores, body.documents, body.top_n, body.return_documents is not False),
    }

"""`POST /v1/rerank` as Jina's clients know it: give them the URL `…/jina/v1/rerank`.

Relevance is inside [0, 1] there, so that a score on another scale goes through its profile's map.
"""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from surefoot.api.dialects.cohere import Document
from surefoot.api.dialects.score_scale import best_first, scaled
from surefoot.api.dialects.scored import Calling
from surefoot.api.dialects.vllm_wire import VllmUsage
from surefoot.api.errors import error_responses
from surefoot.api.schemas.common import Request, Response, Text
from surefoot.domain import ScoreTask
from surefoot.errors import AggregationNotDefined, GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout

router = APIRouter(prefix="/jina", tags=["dialects"])
_ERRORS = error_responses(
    AggregationNotDefined, ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout, path="/jina/v1/rerank"
)


class JinaRequest(Request):
    """A problem and the solutions to put in order; fields that are not listed are ignored."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={"examples": [{"query": "2 + 3?", "documents": ["2 + 3 = 6.", "2 + 3 = 5."], "top_n": 1}]},
    )

    model: str | None = Field(None, description="A name from /v1/models; default: the first configured model.")
    query: Text
    documents: list[Document] = Field(min_length=1)
    top_n: int | None = Field(None, ge=1, description="At most so many results.")
    return_documents: bool | None = True


class JinaDocument(Response):
    """A document as it was sent."""

    text: str


class JinaRanked(Response):
    """One document in its place; its relevance is from 0 to 1."""

    index: int
    relevance_score: float
    document: JinaDocument | None = None


class JinaResponse(Response):
    """Documents by descending relevance."""

    model: str
    object: Literal["list"]
    usage: VllmUsage
    results: list[JinaRanked]


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
    documents = [{} if body.return_documents is False else {"document": {"text": text}} for text in body.documents]
    return {
        "model": model.card.name,
        "object": "list",
        "usage": {"prompt_tokens": scored.num_tokens, "total_tokens": scored.num_tokens},
        "results": [
            {"index": index, "relevance_score": scores[index], **documents[index]}
            for index in best_first(scores)[: body.top_n]
        ],
    }

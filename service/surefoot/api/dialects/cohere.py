"""`POST /v1/rerank` and `/v2/rerank` as Cohere's clients know them: give them the base URL `…/cohere`.

Relevance is inside [0, 1] there, so that a score on another scale goes through its profile's map.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BeforeValidator, Field

from surefoot.api.dialects.rerank_wire import RankedDocument, RerankRequest, ranked
from surefoot.api.dialects.score_scale import scaled
from surefoot.api.dialects.scored import Call, Calling, check_length
from surefoot.api.errors import error_responses
from surefoot.api.schemas.common import Response
from surefoot.domain import ScoreTask
from surefoot.errors import AggregationNotDefined, GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout

router = APIRouter(prefix="/cohere", tags=["dialects"])
_ERRORS = error_responses(
    AggregationNotDefined, ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout, path="/cohere/v2/rerank"
)
_DOCUMENTS_OF_A_SEARCH_UNIT = 100


def _text_alone(value: Any) -> Any:
    if value not in (None, ["text"]):
        raise ValueError("only the field text of a document is read; leave this out, and join fields into text")
    return value


class CohereRequest(RerankRequest):
    """A problem and the solutions to put in order; fields that are not listed are ignored."""

    return_documents: bool | None = False
    rank_fields: Annotated[list[str] | None, BeforeValidator(_text_alone)] = None
    max_tokens_per_doc: int | None = Field(
        None, ge=1, description="Nothing is cut: where a whole input has more tokens it is refused."
    )


class CohereVersion(Response):
    """Whose version of the API answered."""

    version: str


class CohereUnits(Response):
    """Searches as Cohere counts them; nobody bills them here."""

    search_units: int


class CohereMeta(Response):
    """What stands beside the results."""

    api_version: CohereVersion
    billed_units: CohereUnits


class CohereResponse(Response):
    """Documents by descending relevance."""

    id: str
    results: list[RankedDocument]
    meta: CohereMeta


_ANSWERS: dict[str, Any] = {
    "response_model": CohereResponse,
    "response_model_exclude_unset": True,
    "responses": _ERRORS,
}


@router.post("/v1/rerank", **_ANSWERS, summary="Solutions in order as Cohere's first version gives them")
async def rerank_v1(body: CohereRequest, call: Calling) -> dict[str, Any]:
    """The query is the problem, the documents are its solutions; the best come first."""
    return await _rerank(body, call, "1")


@router.post("/v2/rerank", **_ANSWERS, summary="Solutions in order as Cohere's second version gives them")
async def rerank_v2(body: CohereRequest, call: Calling) -> dict[str, Any]:
    """The query is the problem, the documents are its solutions; the best come first."""
    return await _rerank(body, call, "2")


async def _rerank(body: CohereRequest, call: Call, version: str) -> dict[str, Any]:
    model = call.model(body.model)
    tasks = [ScoreTask(body.query, solution=document) for document in body.documents]
    scored = await call.score(model, tasks, "documents")
    check_length(scored, body.max_tokens_per_doc)
    scores = [scaled(model.line.profile, score, "unit", "model") for score in scored.scores]
    units = math.ceil(len(tasks) / _DOCUMENTS_OF_A_SEARCH_UNIT)
    return {
        "id": call.request_id,
        "results": ranked(scores, body.documents, body.top_n, bool(body.return_documents)),
        "meta": {"api_version": {"version": version}, "billed_units": {"search_units": units}},
    }

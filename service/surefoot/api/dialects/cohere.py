"""`POST /v1/rerank` and `/v2/rerank` as Cohere's clients know them: give them the base URL `…/cohere`.

Relevance is inside [0, 1] there, so that a score on another scale goes through its profile's map.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BeforeValidator, ConfigDict, Field

from surefoot.api.dialects.score_scale import best_first, scaled
from surefoot.api.dialects.scored import Call, Calling, check_length
from surefoot.api.errors import error_responses
from surefoot.api.schemas.common import Request, Response, Text
from surefoot.domain import ScoreTask
from surefoot.errors import AggregationNotDefined, GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout

router = APIRouter(prefix="/cohere", tags=["dialects"])
_ERRORS = error_responses(
    AggregationNotDefined, ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout, path="/cohere/v2/rerank"
)
_DOCUMENTS_OF_A_SEARCH_UNIT = 100


def _text_of(value: Any) -> Any:
    return value["text"] if isinstance(value, dict) and "text" in value else value


def _text_alone(value: Any) -> Any:
    if value not in (None, ["text"]):
        raise ValueError("only the field text of a document is read; leave this out, and join fields into text")
    return value


Document = Annotated[Text, BeforeValidator(_text_of, json_schema_input_type=str | dict[str, str])]
"""A text, or an object with one as `text`."""


class CohereRequest(Request):
    """A problem and the solutions to put in order; fields that are not listed are ignored."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={"examples": [{"query": "2 + 3?", "documents": ["2 + 3 = 6.", "2 + 3 = 5."], "top_n": 1}]},
    )

    model: str | None = Field(None, description="A name from /v1/models; default: the first configured model.")
    query: Text
    documents: list[Document] = Field(min_length=1)
    top_n: int | None = Field(None, ge=1, description="At most so many results.")
    return_documents: bool | None = False
    rank_fields: Annotated[list[str] | None, BeforeValidator(_text_alone)] = None
    max_tokens_per_doc: int | None = Field(
        None, ge=1, description="Nothing is cut: where a whole input has more tokens it is refused."
    )


class CohereDocument(Response):
    """A document as it was sent."""

    text: str


class CohereRanked(Response):
    """One document in its place; its relevance is from 0 to 1."""

    index: int
    relevance_score: float
    document: CohereDocument | None = None


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
    results: list[CohereRanked]
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
    documents = [{"document": {"text": text}} if body.return_documents else {} for text in body.documents]
    units = math.ceil(len(tasks) / _DOCUMENTS_OF_A_SEARCH_UNIT)
    return {
        "id": call.request_id,
        "results": [
            {"index": index, "relevance_score": scores[index], **documents[index]}
            for index in best_first(scores)[: body.top_n]
        ],
        "meta": {"api_version": {"version": version}, "billed_units": {"search_units": units}},
    }

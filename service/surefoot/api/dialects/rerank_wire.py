"""What Cohere's and Jina's rerank requests and answers have in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from surefoot.api.dialects.score_scale import best_first
from surefoot.api.schemas.common import Request, Response, Text


def _text_of(value: Any) -> Any:
    return value["text"] if isinstance(value, dict) and "text" in value else value


Document = Annotated[Text, BeforeValidator(_text_of, json_schema_input_type=str | dict[str, str])]
"""A text, or an object with one as `text`."""


class RerankRequest(Request):
    """A problem and the solutions to put in order; fields that are not listed are ignored."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={"examples": [{"query": "2 + 3?", "documents": ["2 + 3 = 6.", "2 + 3 = 5."], "top_n": 1}]},
    )

    model: str | None = Field(None, description="A name from /v1/models; default: the first configured model.")
    query: Text
    documents: list[Document] = Field(min_length=1)
    top_n: int | None = Field(None, ge=1, description="At most so many results.")


class RankedText(Response):
    """A document as it was sent."""

    text: str


class RankedDocument(Response):
    """One document in its place; its relevance is from 0 to 1."""

    index: int
    relevance_score: float
    document: RankedText | None = None


def ranked(scores: list[float], documents: list[str], top_n: int | None, with_text: bool) -> list[dict[str, Any]]:
    """The best `top_n` as JSON, best first."""
    return [
        {
            "index": index,
            "relevance_score": scores[index],
            **({"document": {"text": documents[index]}} if with_text else {}),
        }
        for index in best_first(scores)[:top_n]
    ]

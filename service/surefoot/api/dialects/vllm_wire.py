"""Requests and answers of vLLM 0.32's scoring routes, as its clients know them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from surefoot.api.dialects.score_scale import Scaling
from surefoot.api.schemas.common import Request, Response, Text
from surefoot.domain import ScoreOptions, ScoreTask


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Texts = Annotated[list[Text], BeforeValidator(_as_list, json_schema_input_type=str | list[str]), Field(min_length=1)]
"""One text or several."""


class VllmRequest(Request):
    """What all of vLLM's scoring requests share; fields that are not listed are ignored."""

    model_config = ConfigDict(extra="ignore")

    model: str | None = Field(None, description="A name from /v1/models; default: the first configured model.")
    use_activation: bool | None = Field(None, description="false: the values before softmax or sigmoid.")
    truncate_prompt_tokens: int | None = Field(
        None, ge=-1, description="Nothing is ever cut: an input with more tokens than this is refused."
    )
    priority: int = Field(0, description="Above 0 the request waits behind those at 0 or below.")
    request_id: Text | None = Field(
        None, max_length=256, description="Comes back as the end of `id`; the header x-request-id wins."
    )

    def to_options(self) -> ScoreOptions:
        """How it is scored."""
        return ScoreOptions(priority="bulk" if self.priority > 0 else "interactive")

    @property
    def length_limit(self) -> int | None:
        """Tokens above which vLLM would have cut an input; `None` where it would not."""
        limit = self.truncate_prompt_tokens
        return None if limit is None or limit < 0 else limit

    @property
    def scaling(self) -> Scaling:
        """The scale that is asked for; where nothing is said it is the model's own, as on /score."""
        return "own" if self.use_activation is None else "unit" if self.use_activation else "raw"


class PairsRequest(VllmRequest):
    """A request about pairs of texts."""

    max_tokens_per_doc: int = Field(
        0, ge=0, description="0: no limit. Nothing is cut: where a whole input has more tokens it is refused."
    )

    @property
    def length_limit(self) -> int | None:
        limits = [limit for limit in (super().length_limit, self.max_tokens_per_doc or None) if limit is not None]
        return min(limits, default=None)


_SIDES = (("queries", "documents"), ("queries", "items"), ("data_1", "data_2"), ("text_1", "text_2"))


class VllmScoreRequest(PairsRequest):
    """Problems and solutions, in any of the pairs of names that vLLM takes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text_1": "2 + 3?", "text_2": ["2 + 3 = 5.", "2 + 3 = 6."]}]}
    )

    queries: Texts | None = Field(None, description="With `documents` or `items`: the problems.")
    documents: Texts | None = None
    items: Texts | None = None
    data_1: Texts | None = Field(None, description="With `data_2`: the problems.")
    data_2: Texts | None = None
    text_1: Texts | None = Field(None, description="With `text_2`: the problems; one for all, or as many as solutions.")
    text_2: Texts | None = None

    @model_validator(mode="after")
    def _is_about_pairs(self) -> Self:
        problems, solutions = self._sides()
        if len(problems) not in (1, len(solutions)):
            raise ValueError(f"{len(problems)} problems and {len(solutions)} solutions: give one problem, or as many")
        return self

    def to_tasks(self) -> list[ScoreTask]:
        """All pairs in order."""
        problems, solutions = self._sides()
        shared = problems * len(solutions) if len(problems) == 1 else problems
        return [ScoreTask(problem, solution=text) for problem, text in zip(shared, solutions, strict=True)]

    def _sides(self) -> tuple[list[str], list[str]]:
        given = [
            (first, second)
            for names in _SIDES
            for first, second in [[getattr(self, name) for name in names]]
            if first is not None and second is not None
        ]
        if len(given) != 1:
            raise ValueError("give exactly one of queries with documents, data_1 with data_2, text_1 with text_2")
        return given[0]


class VllmRerankRequest(PairsRequest):
    """A problem and the solutions to put in order."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "2 + 3?", "documents": ["2 + 3 = 6.", "2 + 3 = 5."], "top_n": 1}]}
    )

    query: Text
    documents: Texts
    top_n: int | None = Field(0, ge=0, description="At most so many results; 0: all.")

    def to_tasks(self) -> list[ScoreTask]:
        """One for each document."""
        return [ScoreTask(self.query, solution=document) for document in self.documents]


class VllmUsage(Response):
    """Tokens of the rendered inputs."""

    prompt_tokens: int
    total_tokens: int


class VllmFullUsage(VllmUsage):
    """Tokens of the rendered inputs; nothing is generated."""

    completion_tokens: int = 0
    prompt_tokens_details: None = None


class VllmScore(Response):
    """The score of one pair."""

    index: int
    object: Literal["score"]
    score: float


class VllmScoreResponse(Response):
    """Scores in the order of the pairs."""

    id: str
    object: Literal["list"]
    created: int
    model: str
    data: list[VllmScore]
    usage: VllmFullUsage


class VllmDocument(Response):
    """A document as it was sent."""

    text: str
    multi_modal: None = None


class VllmRanked(Response):
    """One document in its place."""

    index: int
    document: VllmDocument
    relevance_score: float


class VllmRerankResponse(Response):
    """Documents by descending score."""

    id: str
    model: str
    usage: VllmUsage
    results: list[VllmRanked]

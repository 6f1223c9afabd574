"""`POST /rerank` and `/predict` of Text Embeddings Inference, with its headers.

Its requests name no model: the query parameter `model` does, `…/predict?model=orm`. A pair is a problem and a solution;
a single text is a rendered conversation. Scores are inside [0, 1], raw ones are an outcome model's value before that.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field, field_validator

from surefoot.api.dialects.rendered_chat import rendered_task
from surefoot.api.dialects.score_scale import Scaling, best_first, scaled
from surefoot.api.dialects.scored import Call, Calling
from surefoot.api.errors import error_responses
from surefoot.api.schemas.common import Request, Response, Text
from surefoot.domain import ScoreTask
from surefoot.errors import AggregationNotDefined, GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout

router = APIRouter(tags=["dialects"])
_ERRORS = error_responses(
    AggregationNotDefined, ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout, path="/predict"
)
_LABEL = "LABEL_0"
_MAX_PAIR = 2

ModelQuery = Annotated[
    str | None, Query(alias="model", description="A name from /v1/models; default: the first configured model.")
]


class TeiRequest(Request):
    """What both requests share; fields that are not listed are ignored, `truncate` among them: nothing is cut."""

    model_config = ConfigDict(extra="ignore")

    raw_scores: bool = Field(False, description="true: the values before softmax or sigmoid.")


class TeiRerankRequest(TeiRequest):
    """A problem and the solutions to put in order."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "2 + 3?", "texts": ["2 + 3 = 6.", "2 + 3 = 5."]}]}
    )

    query: Text
    texts: list[Text] = Field(min_length=1)
    return_text: bool = False


class PredictRequest(TeiRequest):
    """One text or pair, or a batch of them: `"t"`, `["p", "s"]`, `[["p", "s"], ["t"]]`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"inputs": ["2 + 3?", "2 + 3 = 5."]}]})

    inputs: Text | list[Text] | list[list[Text]] = Field(
        description="Pairs of a problem and a solution; a single text is a conversation that a chat template rendered."
    )

    @field_validator("inputs")
    @classmethod
    def _are_singles_or_pairs(cls, inputs: str | list[str] | list[list[str]]) -> str | list[str] | list[list[str]]:
        for given in _sequences(inputs):
            if not 1 <= len(given) <= _MAX_PAIR:
                raise ValueError("give a text, a pair of texts, or a batch of either")
        return inputs

    def to_tasks(self) -> list[ScoreTask]:
        """All inputs in order. Raises `UnsupportedMessages` for a single text that is no rendered conversation."""
        return [
            rendered_task(given[0]) if len(given) == 1 else ScoreTask(given[0], solution=given[1])
            for given in _sequences(self.inputs)
        ]

    @property
    def is_batch(self) -> bool:
        return isinstance(self.inputs, list) and isinstance(self.inputs[0], list)


def _sequences(inputs: str | list[str] | list[list[str]]) -> list[list[str]]:
    if isinstance(inputs, str):
        return [[inputs]]
    batch = [given for given in inputs if isinstance(given, list)]
    return batch or [[given for given in inputs if isinstance(given, str)]]


class TeiRank(Response):
    """One text in its place."""

    index: int
    text: str | None = None
    score: float


class TeiPrediction(Response):
    """The one class that a reward model has."""

    score: float
    label: str


@router.post(
    "/tei/rerank",
    response_model=list[TeiRank],
    response_model_exclude_unset=True,
    responses=_ERRORS,
    summary="Solutions in order as Text Embeddings Inference gives them",
)
async def rerank(body: TeiRerankRequest, call: Calling, model: ModelQuery = None) -> list[dict[str, Any]]:
    """The query is the problem, the texts are its solutions; the best come first. /rerank takes such bodies too."""
    scores = await _scores(call, model, [ScoreTask(body.query, solution=text) for text in body.texts], body, "texts")
    texts = [{"text": text} if body.return_text else {} for text in body.texts]
    return [{"index": index, **texts[index], "score": scores[index]} for index in best_first(scores)]


_PREDICTED: dict[str, Any] = {
    "response_model": list[TeiPrediction] | list[list[TeiPrediction]],
    "responses": _ERRORS,
    "summary": "Scores of pairs as Text Embeddings Inference gives classes",
}


@router.post("/predict", **_PREDICTED)
@router.post("/tei/predict", **_PREDICTED)
async def predict(body: PredictRequest, call: Calling, model: ModelQuery = None) -> list[Any]:
    """One class for each input: the score of the solution."""
    scores = await _scores(call, model, body.to_tasks(), body, "inputs")
    predictions = [[{"score": score, "label": _LABEL}] for score in scores]
    return predictions if body.is_batch else predictions[0]


async def _scores(call: Call, name: str | None, tasks: list[ScoreTask], body: TeiRequest, param: str) -> list[float]:
    started = time.perf_counter()
    model = call.model(name)
    scored = await call.score(model, tasks, param)
    scaling: Scaling = "raw" if body.raw_scores else "unit"
    scores = [scaled(model.line.profile, score, scaling, "raw_scores") for score in scored.scores]
    queue_s, forward_s = scored.timing.queue_s, scored.timing.forward_s
    total_s = time.perf_counter() - started
    milliseconds = {
        "x-total-time": total_s,
        "x-queue-time": queue_s,
        "x-inference-time": forward_s,
        # What is neither waiting nor computing: almost all of it goes into tokens.
        "x-tokenization-time": max(0.0, total_s - queue_s - forward_s),
    }
    for header, seconds in milliseconds.items():
        call.response.headers[header] = str(round(seconds * 1000))
    call.response.headers["x-compute-tokens"] = str(scored.num_tokens)
    return scores

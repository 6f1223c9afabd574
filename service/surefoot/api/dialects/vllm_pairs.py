"""`/v1/score`, `/v1/rerank` and `/v2/rerank` of vLLM 0.32: a pair is a problem and a solution.

The bare `/score` and `/rerank` come here too where a body is vLLM's (`shared_paths`). A score is the model's own
aggregate, as `/score` gives it natively, unless `use_activation` asks for another scale. Unlike vLLM nothing is cut,
and texts are all that can be read.
"""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter

from surefoot.api.dialects.score_scale import best_first, scaled
from surefoot.api.dialects.scored import Call, Calling, Scored, check_length
from surefoot.api.dialects.vllm_wire import (
    PairsRequest,
    VllmRequest,
    VllmRerankRequest,
    VllmRerankResponse,
    VllmScoreRequest,
    VllmScoreResponse,
)
from surefoot.api.errors import error_responses
from surefoot.domain import ScoreTask
from surefoot.errors import AggregationNotDefined, GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout
from surefoot.registry import ServedModel

router = APIRouter(tags=["dialects"])
ERRORS = error_responses(
    AggregationNotDefined, ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout, path="/v1/score"
)


@router.post(
    "/v1/score", response_model=VllmScoreResponse, responses=ERRORS, summary="Scores of pairs as vLLM gives them"
)
async def score(body: VllmScoreRequest, call: Calling) -> dict[str, Any]:
    """The first text of a pair is the problem, the second the solution."""
    model = call.model(body.model)
    scored, scores = await _pair_scores(call, model, body, body.to_tasks(), "data_2")
    return {
        "id": answer_id(call, body, "score"),
        "object": "list",
        "created": int(time.time()),
        "model": model.card.name,
        "data": [{"index": index, "object": "score", "score": value} for index, value in enumerate(scores)],
        "usage": {"prompt_tokens": scored.num_tokens, "total_tokens": scored.num_tokens},
    }


@router.post(
    "/v1/rerank", response_model=VllmRerankResponse, responses=ERRORS, summary="Solutions in order as vLLM gives them"
)
@router.post("/v2/rerank", response_model=VllmRerankResponse, responses=ERRORS, summary="The same as /v1/rerank")
async def rerank(body: VllmRerankRequest, call: Calling) -> dict[str, Any]:
    """The query is the problem, the documents are its solutions; the best come first."""
    model = call.model(body.model)
    scored, scores = await _pair_scores(call, model, body, body.to_tasks(), "documents")
    results = [
        {"index": index, "document": {"text": body.documents[index]}, "relevance_score": scores[index]}
        for index in best_first(scores)[: body.top_n or None]
    ]
    return {
        "id": answer_id(call, body, "score"),
        "model": model.card.name,
        "usage": {"prompt_tokens": scored.num_tokens, "total_tokens": scored.num_tokens},
        "results": results,
    }


async def _pair_scores(
    call: Call, model: ServedModel, body: PairsRequest, tasks: list[ScoreTask], param: str
) -> tuple[Scored, list[float]]:
    scored = await call.score(model, tasks, param, body.to_options())
    check_length(scored, body.length_limit)
    profile = model.line.profile
    return scored, [scaled(profile, score, body.scaling, "use_activation") for score in scored.scores]


def answer_id(call: Call, body: VllmRequest, prefix: str) -> str:
    """The id of vLLM's answers; the caller's own where no header has one."""
    own_id = None if "x-request-id" in call.request.headers else body.request_id
    return f"{prefix}-{own_id or call.request_id}"

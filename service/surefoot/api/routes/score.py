"""`POST /score`: scores of given solutions by one model."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from surefoot.api.dialects.shared_paths import SharedRoute
from surefoot.api.disconnect import while_connected
from surefoot.api.errors import error_responses
from surefoot.api.routes.headers import cost_headers, count_item_errors
from surefoot.api.schemas.score import ScoreRequest, ScoreResponse, response_view
from surefoot.api.service import RequestIdent, Serving
from surefoot.errors import AggregationNotDefined, GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout

router = APIRouter(tags=["scoring"], route_class=SharedRoute)
_ERRORS = error_responses(AggregationNotDefined, ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout)


@router.post(
    "/score",
    response_model=ScoreResponse,
    response_model_exclude_unset=True,
    responses=_ERRORS,
    summary="Score solutions step by step, or as a whole",
)
@router.post(
    "/surefoot/v1/score", response_model=ScoreResponse, response_model_exclude_unset=True, include_in_schema=False
)
async def score(
    body: ScoreRequest, request: Request, response: Response, service: Serving, request_id: RequestIdent
) -> dict[str, Any]:
    """Every item gets its own result or its own error; an item's error never fails its neighbours.

    A body with `queries`, `data_1` or `text_1` is vLLM's, and answered as /v1/score answers it.
    """
    tasks = body.to_tasks()
    service.check_items(len(tasks), "items")
    model = service.registry.get(body.model)
    group = await while_connected(
        request, model.line.score_group(tasks, body.to_options()), timeout_s=service.limits.request_timeout_s
    )
    count_item_errors(service.telemetry, group.results)
    cost_headers(response, group.timing, group.usage)
    return response_view(request_id, model.card, tasks, group, body.rewards)

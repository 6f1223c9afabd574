"""`POST /select`: choose candidates for labelling."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from surefoot.api.disconnect import while_connected
from surefoot.api.errors import error_responses
from surefoot.api.routes.headers import cost_headers, count_item_errors
from surefoot.api.schemas.common import TimingOut, UsageOut
from surefoot.api.schemas.select import SelectRequest, SelectResponse, selected_view
from surefoot.api.service import RequestIdent, Service, Serving
from surefoot.errors import AggregationNotDefined, GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout
from surefoot.labelling import ChosenGroup, Labelling, choose_for_labelling

router = APIRouter(tags=["scoring"])
_ERRORS = error_responses(AggregationNotDefined, ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout)


@router.post(
    "/select",
    response_model=SelectResponse,
    response_model_exclude_unset=True,
    responses=_ERRORS,
    summary="Choose convincing wrong answers for labelling",
)
@router.post(
    "/surefoot/v1/select", response_model=SelectResponse, response_model_exclude_unset=True, include_in_schema=False
)
async def select(
    body: SelectRequest, request: Request, response: Response, service: Serving, request_id: RequestIdent
) -> dict[str, Any]:
    """The process model's highest-scored candidates, most of them with a wrong answer."""
    tasks = body.to_tasks()
    service.check_items(sum(len(task.candidates.candidates) for task in tasks), "candidates")
    model = service.registry.get(body.model, "process")
    work = choose_for_labelling(
        tasks,
        model.line,
        body.to_score_options(),
        service.ranker.judge,
        top_k=body.top_k,
        wrong_fraction=body.wrong_fraction,
    )
    labelling = await while_connected(request, work, timeout_s=service.limits.request_timeout_s)
    _count_errors(service, labelling)
    cost_headers(response, labelling.timing, labelling.usage)
    return {
        "id": request_id,
        "model": model.card.name,
        "fingerprint": model.card.fingerprint,
        "results": [
            selected_view(index, task, group)
            for index, (task, group) in enumerate(zip(tasks, labelling.groups, strict=True))
        ],
        "usage": UsageOut.of(labelling.usage).model_dump(),
        "timing": TimingOut.of(labelling.timing).model_dump(),
    }


def _count_errors(service: Service, labelling: Labelling) -> None:
    for group in labelling.groups:
        count_item_errors(service.telemetry, group.errors if isinstance(group, ChosenGroup) else [group])

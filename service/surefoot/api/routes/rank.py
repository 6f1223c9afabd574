"""`POST /rerank`: put candidates in order and pick one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from surefoot.api.dialects.shared_paths import SharedRoute
from surefoot.api.disconnect import while_connected
from surefoot.api.errors import error_responses
from surefoot.api.routes.headers import cost_headers, count_item_errors
from surefoot.api.schemas.common import TimingOut, UsageOut
from surefoot.api.schemas.rank import RankingFields, RerankRequest, RerankResponse, group_view
from surefoot.api.service import RequestIdent, Service, Serving
from surefoot.candidate_scores import RankOptions
from surefoot.errors import AggregationNotDefined, GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout
from surefoot.ranking import RankedGroup, Ranking
from surefoot.registry import ServedModel
from surefoot.selection import NEEDS_OUTCOME, NEEDS_PROCESS

router = APIRouter(tags=["scoring"], route_class=SharedRoute)
_ERRORS = error_responses(AggregationNotDefined, ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout)


@router.post(
    "/rerank",
    response_model=RerankResponse,
    response_model_exclude_unset=True,
    responses=_ERRORS,
    summary="Rank candidates of a problem and pick the best",
)
@router.post(
    "/surefoot/v1/rerank", response_model=RerankResponse, response_model_exclude_unset=True, include_in_schema=False
)
async def rerank(
    body: RerankRequest, request: Request, response: Response, service: Serving, request_id: RequestIdent
) -> dict[str, Any]:
    """One group at top level is answered at top level; `items` are answered in `groups`.

    Without any native field, a body with `query` and `documents` is vLLM's, and answered as /v1/rerank answers it; one
    with `query` and `texts` as /tei/rerank does.
    """
    tasks = body.to_tasks()
    service.check_items(sum(len(task.candidates) for task in tasks), "candidates")
    roles = models_for(service, body)
    ranking = await while_connected(
        request, service.ranker.rank(tasks, rank_options(body, roles)), timeout_s=service.limits.request_timeout_s
    )
    count_ranking_errors(service, ranking)
    cost_headers(response, ranking.timing, ranking.usage)
    views = [group_view(task, group, body) for task, group in zip(tasks, ranking.groups, strict=True)]
    return {
        "id": request_id,
        **(views[0] if body.items is None else {"groups": views}),
        **model_views(body, roles),
        "usage": UsageOut.of(ranking.usage).model_dump(),
        "timing": TimingOut.of(ranking.timing).model_dump(),
    }


def models_for(service: Service, fields: RankingFields) -> dict[str, ServedModel]:
    """The models that the strategy needs, by role; one that is named is used even where it is not needed."""
    roles: dict[str, ServedModel] = {}
    if NEEDS_PROCESS[fields.strategy] or fields.model is not None:
        roles["process"] = service.registry.get(fields.model, "process", param="model")
    if NEEDS_OUTCOME[fields.strategy] or fields.outcome_model is not None:
        roles["outcome"] = service.registry.get(fields.outcome_model, "outcome", param="outcome_model")
    return roles


def rank_options(fields: RankingFields, roles: dict[str, ServedModel]) -> RankOptions:
    """The domain's options for these fields and models."""
    return RankOptions(
        strategy=fields.strategy,
        process=roles["process"].line if "process" in roles else None,
        outcome=roles["outcome"].line if "outcome" in roles else None,
        score=fields.to_score_options(),
        tie_seed=fields.tie_seed,
        abstain_below=fields.abstain_below,
    )


def model_views(fields: RankingFields, roles: dict[str, ServedModel]) -> dict[str, Any]:
    """Which models answered, as JSON."""
    return {
        "strategy": fields.strategy,
        "models": {role: model.card.name for role, model in roles.items()},
        "fingerprints": {model.card.name: model.card.fingerprint for model in roles.values()},
    }


def count_ranking_errors(service: Service, ranking: Ranking) -> None:
    """Count failed groups and failed candidates by their codes."""
    for group in ranking.groups:
        count_item_errors(service.telemetry, group.errors if isinstance(group, RankedGroup) else [group])

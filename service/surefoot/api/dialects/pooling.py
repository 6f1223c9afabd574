"""`POST /pooling` of vLLM 0.32, as clients of process reward models use it.

They send one conversation whose last turn holds the model's tag after each step ("s1<extra_0>s2<extra_0>") and read
`data[0].data[i][-1]`, the probability that step i is right. Here that turn is cut at the profile's tag and goes through
the same line as `/score`: the same steps get the same scores, to the last bit. As with vLLM there are as many rows as
tags, also for blank steps, and none for what stands behind the last tag. Where vLLM would give no rows, because there
is no tag, the profile's own splitting makes the steps.

Unlike vLLM: a tag in any other turn is text; the profile, not the caller, says how a conversation is rendered, so that
`chat_template` and its like change nothing, a missing system message is the profile's, and `input` is refused; nothing
is truncated; classes stand with the positive one last, whatever their order in the checkpoint.
"""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request, Response

from surefoot.api.dialects.pooling_wire import PoolingRequest, PoolingResponse, rows_of
from surefoot.api.disconnect import while_connected
from surefoot.api.errors import error_responses
from surefoot.api.routes.headers import cost_headers
from surefoot.api.service import RequestIdent, Serving
from surefoot.domain import SolutionScore
from surefoot.errors import GroupTooLarge, InputTooLong, ModelNotFound, QueueFull, RequestTimeout

router = APIRouter(tags=["dialects"])
_ERRORS = error_responses(ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout, path="/pooling")


@router.post(
    "/pooling",
    response_model=PoolingResponse,
    responses=_ERRORS,
    summary="Step scores as clients of vLLM's pooling read them",
)
async def pooling(
    body: PoolingRequest, request: Request, response: Response, service: Serving, request_id: RequestIdent
) -> dict[str, Any]:
    """Each of the profile's tags in the assistant's turn ends a step and gets a row; the last value is P(right)."""
    model = service.registry.get(body.model or None)
    profile = model.line.profile
    group = await while_connected(
        request,
        model.line.score_group([body.to_task(profile)], body.to_options()),
        timeout_s=service.limits.request_timeout_s,
    )
    (result,) = group.results
    if isinstance(result, Exception):
        raise result
    _check_length(body, result)
    cost_headers(response, group.timing, group.usage)
    rows = rows_of(profile, result, activated=body.use_activation is not False)
    own_id = None if "x-request-id" in request.headers else body.request_id
    return {
        "id": f"pooling-{own_id or request_id}",
        "object": "list",
        "created": int(time.time()),
        "model": model.card.name,
        "data": [{"index": 0, "object": "pooling", "data": body.encoded(rows)}],
        "usage": {"prompt_tokens": result.num_tokens, "total_tokens": result.num_tokens},
    }


def _check_length(body: PoolingRequest, result: SolutionScore) -> None:
    """Raises `InputTooLong` where vLLM would have cut the input, and so have given other numbers."""
    limit = body.truncate_prompt_tokens
    if limit is not None and 0 <= limit < result.num_tokens:
        raise InputTooLong(result.num_tokens, limit)

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

from fastapi import APIRouter

from surefoot.api.dialects.pooling_wire import PoolingRequest, PoolingResponse, rows_of
from surefoot.api.dialects.scored import Calling, check_length
from surefoot.api.dialects.vllm_pairs import answer_id
from surefoot.api.errors import error_responses
from surefoot.errors import GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout

router = APIRouter(tags=["dialects"])
_ERRORS = error_responses(ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout, path="/pooling")


@router.post(
    "/pooling",
    response_model=PoolingResponse,
    responses=_ERRORS,
    summary="Step scores as clients of vLLM's pooling read them",
)
async def pooling(body: PoolingRequest, call: Calling) -> dict[str, Any]:
    """Each of the profile's tags in the assistant's turn ends a step and gets a row; the last value is P(right)."""
    model = call.model(body.model)
    profile = model.line.profile
    scored = await call.score(model, [body.to_task(profile)], "messages", body.to_options())
    check_length(scored, body.length_limit)
    rows = rows_of(profile, scored.scores[0], activated=body.use_activation is not False)
    return {
        "id": answer_id(call, body, "pooling"),
        "object": "list",
        "created": int(time.time()),
        "model": model.card.name,
        "data": [{"index": 0, "object": "pooling", "data": body.encoded(rows)}],
        "usage": {"prompt_tokens": scored.num_tokens, "total_tokens": scored.num_tokens},
    }

"""`POST /slime/reward`, for slime's `--rm-type remote_rm --rm-url …`: the JSON body of the answer is the reward.

`?model=orm` names a model. The reward is on the model's own scale, as `/score` gives it.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from surefoot.api.dialects.rendered_chat import completed_task
from surefoot.api.dialects.scored import Calling
from surefoot.api.dialects.tei import ModelQuery
from surefoot.api.errors import error_responses
from surefoot.api.schemas.chat import ChatMessage
from surefoot.api.schemas.common import Request, Text
from surefoot.errors import GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout

router = APIRouter(prefix="/slime", tags=["dialects"])
_ERRORS = error_responses(ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout, path="/slime/reward")


class SlimeRequest(Request):
    """A sample; fields that are not listed are ignored."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={"examples": [{"prompt": "2 + 3?", "response": "2 + 3 = 5.", "label": "5"}]},
    )

    prompt: Text | list[ChatMessage] = Field(description="Plain, rendered with a chat template, or as messages.")
    response: Text
    label: Any = Field(None, description="Not read: a reward model knows no right answers.")


@router.post("/reward", response_model=float, responses=_ERRORS, summary="A reward as slime asks for it")
async def reward(body: SlimeRequest, call: Calling, model: ModelQuery = None) -> float:
    """The score of the response, as a bare number."""
    task = completed_task(body.prompt, body.response)
    scored = await call.score(call.model(model), [task], "response")
    return scored.scores[0].score

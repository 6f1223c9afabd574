"""`POST /get_reward`, which OpenRLHF posts to as its `remote_rm_url`; `?model=orm` names a model.

`query` is the policy's whole decoded text with its special tokens, `prompts` what it was given. What follows the prompt
is the solution. Rewards are on the model's own scale, as `/score` gives them.
"""

from __future__ import annotations

import re
from typing import Any, Self

from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator

from surefoot.api.dialects.rendered_chat import completed_task, rendered_task
from surefoot.api.dialects.scored import Calling
from surefoot.api.dialects.tei import ModelQuery
from surefoot.api.errors import error_responses
from surefoot.api.schemas.common import Request, Response, Text
from surefoot.domain import ScoreTask
from surefoot.errors import (
    GroupTooLarge,
    ModelNotFound,
    QueueFull,
    RequestTimeout,
    SurefootError,
    UnsupportedMessages,
)

router = APIRouter(tags=["dialects"])
_ERRORS = error_responses(ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout, path="/get_reward")
_SPECIAL_TOKENS = re.compile(r"(?:\s|<[^<>\s]*>)*")


class RewardRequest(Request):
    """A shard of a rollout batch, which is empty where there are more servers than samples."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [{"query": ["2 + 3? 2 + 3 = 5.</s>"], "prompts": ["2 + 3?"], "labels": ["5"]}],
        },
    )

    query: list[Text] = Field(description="Decoded texts: prompt and response.")
    prompts: list[Text] | None = Field(None, description="What each begins with; without them turns are read back.")
    labels: list[Any] | None = Field(None, description="Not read: a reward model knows no right answers.")

    @model_validator(mode="after")
    def _lines_up(self) -> Self:
        if self.prompts is not None and len(self.prompts) != len(self.query):
            raise ValueError(f"{len(self.query)} of query and {len(self.prompts)} of prompts: give one for each")
        return self

    def to_tasks(self) -> list[ScoreTask]:
        """All samples in order. Raises `UnsupportedMessages` for a query that does not begin with its prompt."""
        return [self._task(index) for index in range(len(self.query))]

    def _task(self, index: int) -> ScoreTask:
        try:
            if self.prompts is None:
                return rendered_task(self.query[index])
            return completed_task(self.prompts[index], _behind(self.prompts[index], self.query[index]))
        except SurefootError as error:
            raise error.at(f"query[{index}]") from error


class RewardResponse(Response):
    """Rewards in the order of the queries."""

    rewards: list[float]
    scores: list[float]
    extra_logs: dict[str, list[float]]


@router.post(
    "/get_reward", response_model=RewardResponse, responses=_ERRORS, summary="Rewards as OpenRLHF asks for them"
)
async def get_reward(body: RewardRequest, call: Calling, model: ModelQuery = None) -> dict[str, Any]:
    """A reward for each query; beside it, of a process model, how many steps there were and the lowest one's score."""
    served = call.model(model)
    if not body.query:
        return {"rewards": [], "scores": [], "extra_logs": {}}
    scored = await call.score(served, body.to_tasks(), "query")
    rewards = [score.score for score in scored.scores]
    logs: dict[str, list[float]] = {}
    if served.card.kind == "process":
        logs["num_steps"] = [len(score.steps) for score in scored.scores]
        logs["min_step_score"] = [min(step.score for step in score.steps) for score in scored.scores]
    return {"rewards": rewards, "scores": rewards, "extra_logs": logs}


def _behind(prompt: str, query: str) -> str:
    """What follows the prompt; before it only special tokens may stand, of padding or a beginning."""
    start = query.find(prompt)
    if start < 0 or not _SPECIAL_TOKENS.fullmatch(query[:start]):
        raise UnsupportedMessages(
            "the text does not begin with its prompt, so that nobody can tell what the solution is; "
            "was the prompt truncated?"
        )
    return query[start + len(prompt) :]

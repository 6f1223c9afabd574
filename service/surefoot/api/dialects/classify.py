"""`POST /classify` of vLLM 0.32: the score of whole conversations, as verl and other trainers ask for it.

They render a conversation with the reward model's chat template and read `data[-1].probs[-1]`. It is read back into
turns here, because the profile renders what the model reads; a text without turns is refused.
"""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter
from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from surefoot.api.dialects.pooling_wire import ends_with_a_solution, rows_of
from surefoot.api.dialects.rendered_chat import rendered_task
from surefoot.api.dialects.score_scale import scaled
from surefoot.api.dialects.scored import Calling, check_length
from surefoot.api.dialects.vllm_pairs import answer_id
from surefoot.api.dialects.vllm_wire import Texts, VllmFullUsage, VllmRequest
from surefoot.api.errors import error_responses
from surefoot.api.schemas.chat import ChatMessage
from surefoot.api.schemas.common import Response, split_scored_conversation
from surefoot.domain import ScoreTask, SolutionScore
from surefoot.errors import AggregationNotDefined, GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout
from surefoot.profiles import Profile

router = APIRouter(tags=["dialects"])
_ERRORS = error_responses(
    AggregationNotDefined, ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout, path="/classify"
)


def _no_token_ids(value: Any) -> Any:
    if isinstance(value, list) and any(isinstance(part, int | list) for part in value):
        raise ValueError("token ids cannot be read back into a conversation; send its text, or messages")
    return value


class ClassifyRequest(VllmRequest):
    """Conversations that end with a solution, rendered or, one of them, as messages."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"messages": [{"role": "user", "content": "2 + 3?"}, {"role": "assistant", "content": "It is 5."}]}
            ]
        }
    )

    input: Annotated[Texts | None, BeforeValidator(_no_token_ids)] = Field(
        None, description="Conversations as a chat template renders them (ChatML, Llama 3, Gemma, <|user|>)."
    )
    messages: list[ChatMessage] | None = None

    @model_validator(mode="after")
    def _is_said_in_one_way(self) -> Self:
        if (self.input is None) == (self.messages is None):
            raise ValueError("give either input or messages")
        if self.messages is not None:
            ends_with_a_solution(self.messages)
        return self

    def to_tasks(self) -> list[ScoreTask]:
        """All conversations in order. Raises `UnsupportedMessages` for one that cannot be read back."""
        if self.messages is None:
            return [rendered_task(text) for text in self.input or ()]
        context, problem, solution = split_scored_conversation(self.messages)
        return [ScoreTask(problem, solution=solution, context=context)]


class Classified(Response):
    """One conversation's values, what speaks for the solution last; a score alone is one class."""

    index: int
    label: str
    probs: list[float]
    num_classes: int


class ClassifyResponse(Response):
    """Values in the order of the conversations."""

    id: str
    object: Literal["list"]
    created: int
    model: str
    data: list[Classified]
    usage: VllmFullUsage


@router.post(
    "/classify", response_model=ClassifyResponse, responses=_ERRORS, summary="Scores of conversations as vLLM's classes"
)
async def classify(body: ClassifyRequest, call: Calling) -> dict[str, Any]:
    """The last of `probs` is the score; with `use_activation: false` it is an outcome model's value before that."""
    model = call.model(body.model)
    profile = model.line.profile
    scored = await call.score(model, body.to_tasks(), "input", body.to_options())
    check_length(scored, body.length_limit)
    found = [_values(profile, score, body) for score in scored.scores]
    return {
        "id": answer_id(call, body, "classify"),
        "object": "list",
        "created": int(time.time()),
        "model": model.card.name,
        "data": [
            {
                "index": index,
                "label": f"LABEL_{values.index(max(values))}",
                "probs": values,
                "num_classes": len(values),
            }
            for index, values in enumerate(found)
        ],
        "usage": {"prompt_tokens": scored.num_tokens, "total_tokens": scored.num_tokens},
    }


def _values(profile: Profile, score: SolutionScore, body: ClassifyRequest) -> list[float]:
    if body.scaling == "raw" and score.kind == "outcome":
        return rows_of(profile, score, activated=False)[0]
    return [scaled(profile, score, body.scaling, "use_activation")]

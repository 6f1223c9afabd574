"""`POST /pooling`: request and answer as clients of vLLM 0.32 know them, and the rows of a score."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from itertools import chain
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from surefoot.api.dialects.step_tags import split_at_tags
from surefoot.api.dialects.vllm_wire import VllmFullUsage, VllmRequest
from surefoot.api.schemas.chat import ChatMessage
from surefoot.api.schemas.common import Response, split_scored_conversation
from surefoot.domain import ScoreTask, SolutionScore, StepScore
from surefoot.profiles import Profile, TokenClassification, TokenContrast

Rows = list[list[float]]

_BYTE_ORDER = {"native": "=", "little": "<", "big": ">"}
_WORST_FIRST = ("negative", "neutral", "positive")


def _not_taken(value: Any) -> Any:
    if value is not None:
        raise ValueError("a text does not show where the problem ends; send messages, and this server renders them")
    return value


def ends_with_a_solution(messages: list[ChatMessage]) -> list[ChatMessage]:
    """The same. Raises `ValueError` where a problem or a solution is missing, or blank."""
    _, problem, solution = split_scored_conversation(messages)
    if not problem.strip():
        raise ValueError("the problem, which is the last user turn, is empty")
    if not solution.strip():
        raise ValueError("the solution, which is the last turn, is empty")
    return messages


class PoolingRequest(VllmRequest):
    """A conversation that ends with the solution; fields that are not listed are ignored."""

    input: Annotated[None, BeforeValidator(_not_taken)] = Field(
        None, description="Refused, be it text or token ids: the profile renders what the model reads."
    )
    messages: list[ChatMessage] = Field(
        description="Ends with the assistant's turn, in which the profile's tag ends each step; without any tag it is "
        "split like a `solution` of /score."
    )
    encoding_format: Literal["float", "base64"] = Field(
        "float", description="base64: the rows one after the other as 32-bit floats."
    )
    embed_dtype: Literal["float32"] = "float32"
    endianness: Literal["native", "little", "big"] = "native"
    task: Literal["token_classify", "classify"] | None = Field(None, description="Either is what the model can do.")

    _ends_with_a_solution = field_validator("messages")(ends_with_a_solution)

    def to_task(self, profile: Profile) -> ScoreTask:
        """The conversation with its last turn in steps, as this profile's tag marks them."""
        context, problem, solution = split_scored_conversation(self.messages)
        steps = split_at_tags(profile, solution)
        if steps is None:
            return ScoreTask(problem, solution=solution, context=context)
        return ScoreTask(problem, steps=steps, context=context, blank_steps=True)

    def encoded(self, rows: Rows) -> Rows | str:
        """The rows in the format that was asked for."""
        if self.encoding_format == "float":
            return rows
        values = list(chain.from_iterable(rows))
        return base64.b64encode(struct.pack(f"{_BYTE_ORDER[self.endianness]}{len(values)}f", *values)).decode()


class PoolingDatum(Response):
    """One row a step, one in all for an outcome model: [P(wrong), P(right)], or [score] where there are no classes."""

    index: int
    object: Literal["pooling"]
    data: list[list[float]] | str


class PoolingResponse(Response):
    """The rows of the one conversation, as `data[0].data`."""

    id: str
    object: Literal["list"]
    created: int
    model: str
    data: list[PoolingDatum]
    usage: VllmFullUsage


def rows_of(profile: Profile, score: SolutionScore, *, activated: bool) -> Rows:
    """One row a step, what speaks for the step last; one row for an outcome model."""
    if score.kind == "outcome":
        return [[score.score] if activated else _worst_first(profile, score.raw or ())]
    if activated:
        return [_step_row(profile, step) for step in score.steps]
    return [_worst_first(profile, step.raw) for step in score.steps]


def _step_row(profile: Profile, step: StepScore) -> list[float]:
    if step.probabilities is None:
        return [step.score]
    # On other scales the score is made of the probabilities, which are what a client of vLLM expects here.
    right = step.score if profile.scale == "probability" else step.probabilities["positive"]
    readout = profile.readout
    neutral_is_wrong = isinstance(readout, TokenClassification) and not readout.neutral_is_positive
    return [step.probabilities["negative"] + (step.probabilities["neutral"] if neutral_is_wrong else 0.0), right]


def _worst_first(profile: Profile, raw: Sequence[float]) -> list[float]:
    readout = profile.readout
    if isinstance(readout, TokenContrast | TokenClassification):
        # A contrast against the vocabulary has its mass behind the words.
        values = dict(zip(readout.classes, raw, strict=False))
        return [values[name] for name in _WORST_FIRST if name in values]
    return list(raw)

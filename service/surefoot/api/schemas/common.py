"""Wire types that several routes share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from surefoot.domain import Message, Timing, Usage
from surefoot.errors import SurefootError

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def _replace_lone_surrogates(value: Any) -> Any:
    # JSON can spell half a character; U+FFFD keeps every later position where the caller counts it.
    return _LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_replace_lone_surrogates)]
"""Text as sent; lone surrogates become U+FFFD one for one."""

Threshold = Annotated[float, Field(allow_inf_nan=False)]
Timeout = Annotated[
    float, Field(gt=0, le=3600, allow_inf_nan=False, description="Seconds until an item that has not run is given up.")
]


class Request(BaseModel):
    """A request body: unknown fields are refused, so that a misspelt option is not silently ignored."""

    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())


class Response(BaseModel):
    """A response body."""

    model_config = ConfigDict(protected_namespaces=())


class MessageIn(Request):
    """One chat turn."""

    role: Literal["system", "user", "assistant"]
    content: Text

    def to_message(self) -> Message:
        """The domain's turn."""
        return Message(self.role, self.content)


def split_conversation(messages: Sequence[MessageIn]) -> tuple[tuple[Message, ...], str]:
    """Earlier turns, and the problem: the last user turn, which must stand at the end.

    Raises `ValueError` otherwise.
    """
    if not messages or messages[-1].role != "user":
        raise ValueError("the problem must be the last user turn")
    return tuple(message.to_message() for message in messages[:-1]), messages[-1].content


def split_scored_conversation(messages: Sequence[MessageIn]) -> tuple[tuple[Message, ...], str, str]:
    """Earlier turns, the problem, and the solution: the assistant's turn at the end.

    Raises `ValueError` where the last two turns are not a user's and the assistant's.
    """
    if not messages or messages[-1].role != "assistant":
        raise ValueError("the solution must be the assistant's turn, at the end of messages")
    context, problem = split_conversation(messages[:-1])
    return context, problem, messages[-1].content


class ErrorOut(Response):
    """An error in place of a result."""

    code: str
    message: str
    param: str | None = None
    retryable: bool = False

    @classmethod
    def of(cls, error: Exception) -> ErrorOut:
        """Deliberate errors as they are; anything else says nothing of its inside."""
        if isinstance(error, SurefootError):
            return cls(code=error.code, message=error.message, param=error.param, retryable=error.retryable)
        return cls(code="internal_error", message="scoring this item failed; the log has the cause")


class ErrorBody(Response):
    """The error of a whole request."""

    code: str
    message: str
    type: str
    param: str | None = None


class ErrorResponse(Response):
    """What every native error looks like."""

    error: ErrorBody


class UsageOut(Response):
    """Token counts: as sent, each distinct prefix of the request once, and read from a cache."""

    prompt_tokens: int
    unique_tokens: int
    cached_tokens: int

    @classmethod
    def of(cls, usage: Usage) -> UsageOut:
        """From the domain."""
        return cls(
            prompt_tokens=usage.prompt_tokens, unique_tokens=usage.unique_tokens, cached_tokens=usage.cached_tokens
        )


class TimingOut(Response):
    """Seconds spent waiting, in forward passes, and in all."""

    queue_s: float
    forward_s: float
    total_s: float

    @classmethod
    def of(cls, timing: Timing) -> TimingOut:
        """From the domain."""
        return cls(queue_s=timing.queue_s, forward_s=timing.forward_s, total_s=timing.total_s)

"""`POST /v1/chat/completions`: a request as OpenAI's clients send it.

What OpenAI's servers ignore is ignored here: fields that are not listed, and null for any that is. Strict is only the
`surefoot` object, which nobody else speaks.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from surefoot.api.schemas.best_of_n import BestOfNRequest, BestOfNSampling, EarlyStopFields
from surefoot.api.schemas.common import MessageIn, Request, Text, split_conversation
from surefoot.api.schemas.rank import RankingFields
from surefoot.api.schemas.sample import DrawingFields
from surefoot.domain import Role, Strategy
from surefoot.errors import InvalidRequest

_LENIENT = ConfigDict(extra="ignore")


def _known_role(value: Any) -> Any:
    return "system" if value == "developer" else value


def _plain_text(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if not all(isinstance(part, dict) and part.get("type") == "text" for part in value):
        raise ValueError("only content parts of type text can be read; leave the others out")
    texts: list[Any] = [part.get("text") for part in value]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a content part of type text needs its text as a string")
    return "\n".join(texts)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class TextPart(Request):
    """A piece of a message's content; pieces are joined by line breaks."""

    model_config = _LENIENT

    type: Literal["text"]
    text: str


class ChatMessage(MessageIn):
    """One chat turn; `developer` is another word for `system`."""

    model_config = _LENIENT

    role: Annotated[
        Role, BeforeValidator(_known_role, json_schema_input_type=Literal["system", "developer", "user", "assistant"])
    ]
    content: Annotated[Text, BeforeValidator(_plain_text, json_schema_input_type=str | list[TextPart])]


class StreamOptions(Request):
    """What a stream tells beside the text."""

    model_config = _LENIENT

    include_usage: bool = Field(False, description="One more chunk at the end, with the token counts.")


class ChatExtras(Request):
    """What only this service understands; unknown fields in here are refused."""

    ranking: RankingFields = Field(default_factory=RankingFields, description="As in /best_of_n.")
    early_stop: EarlyStopFields | None = Field(None, description="As in /best_of_n: for strategies that vote.")


class ChatRequest(DrawingFields):
    """A conversation to complete with the best of several candidates."""

    model_config = _LENIENT

    model: str | None = Field(
        None,
        description="A generator's name or its policy's, from /v1/models; 'default', 'surefoot' or none: the first.",
    )
    messages: list[ChatMessage] = Field(description="Ends with the user's turn, which is the problem.")
    n: int = Field(
        1,
        ge=1,
        description="Choices to return, the best first; fewer where fewer were drawn, could be scored, or are ranked.",
    )
    n_candidates: int | None = Field(
        None, ge=1, description="Candidates to draw; default 8, n where that is more, and 1 at temperature 0."
    )
    strategy: Strategy | None = Field(None, description="How the best is found; short for surefoot.ranking.strategy.")
    max_completion_tokens: int | None = Field(None, ge=1, description="Wins over max_tokens, its older name.")
    stop: Annotated[list[Text], BeforeValidator(_as_list, json_schema_input_type=Text | list[Text])] = Field(
        default_factory=list, max_length=16
    )
    logprobs: bool = Field(False, description="Must be false: /sample gives log-probabilities.")
    stream: bool = Field(
        False, description="Chunks as server-sent events; the text comes when the best candidate is known."
    )
    stream_options: StreamOptions = Field(default_factory=StreamOptions)
    surefoot: ChatExtras = Field(default_factory=ChatExtras)

    @model_validator(mode="before")
    @classmethod
    def _null_is_default(cls, data: Any) -> Any:
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, dict) else data

    @field_validator("messages")
    @classmethod
    def _ends_with_a_problem(cls, messages: list[ChatMessage]) -> list[ChatMessage]:
        if not split_conversation(messages)[1].strip():
            raise ValueError("the problem is empty")
        return messages

    @field_validator("logprobs")
    @classmethod
    def _no_logprobs(cls, logprobs: bool) -> bool:
        if logprobs:
            raise ValueError("token texts are not known here; leave it out, or ask /sample for log-probabilities")
        return logprobs

    def num_candidates(self) -> int:
        """How many to draw."""
        if self.n_candidates is not None:
            return self.n_candidates
        return 1 if self.temperature == 0 else max(self.n, BestOfNSampling().n)

    def to_best_of_n(self) -> BestOfNRequest:
        """The native request. Raises `InvalidRequest` where fields that are right alone contradict each other."""
        num_candidates = self.num_candidates()
        if self.n > num_candidates:
            raise InvalidRequest(
                f"n: {self.n} choices of {num_candidates} candidates; raise n_candidates to n at least", param="n"
            )
        if self.temperature == 0 and num_candidates > 1:
            raise InvalidRequest(
                "n_candidates: temperature 0 gives identical candidates; leave it out, or set temperature above 0",
                param="n_candidates",
            )
        sampling = BestOfNSampling(
            n=num_candidates,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            max_tokens=self.max_completion_tokens or self.max_tokens,
            stop=self.stop,
            seed=self.seed,
        )
        return BestOfNRequest(
            messages=list(self.messages),
            sampling=sampling,
            ranking=self._ranking(),
            early_stop=self.surefoot.early_stop,
        )

    def _ranking(self) -> RankingFields:
        ranking = self.surefoot.ranking
        if self.strategy is None:
            return ranking
        if "strategy" in ranking.model_fields_set and ranking.strategy != self.strategy:
            raise InvalidRequest(
                "strategy: surefoot.ranking.strategy says something else; give one of them", param="strategy"
            )
        return ranking.model_copy(update={"strategy": self.strategy})

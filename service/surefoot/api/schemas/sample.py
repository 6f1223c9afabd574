"""`POST /sample`: request and response."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from surefoot.api.schemas.common import MessageIn, Request, Response, Text, TimingOut, split_conversation
from surefoot.domain import Message, SamplingOptions
from surefoot.drawing import Samples


class DrawingFields(Request):
    """How candidates are drawn, by whichever generator."""

    n: int = Field(1, ge=1, description="Candidates to draw.")
    temperature: float = Field(0.8, ge=0, le=2, allow_inf_nan=False)
    top_p: float = Field(0.95, gt=0, le=1, allow_inf_nan=False)
    top_k: int | None = Field(None, ge=1, lt=2**31)
    max_tokens: int = Field(512, ge=1, description="Tokens of each candidate at most.")
    stop: list[Text] = Field(default_factory=list, max_length=16)
    seed: int | None = Field(None, ge=0, lt=2**63, description="Candidate i depends on the seed and i alone.")
    logprobs: bool = Field(False, description="Also the log-probability of every drawn token, before truncation.")

    @model_validator(mode="after")
    def _greedy_is_one(self) -> Self:
        if self.temperature == 0 and self.n > 1:
            raise ValueError("temperature 0 gives n identical candidates: set n to 1, or temperature above 0")
        if any(not stop for stop in self.stop):
            raise ValueError("stop must not hold an empty string")
        return self

    def to_options(self) -> SamplingOptions:
        """The domain's options."""
        return SamplingOptions(
            n=self.n,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            max_tokens=self.max_tokens,
            stop=tuple(self.stop),
            seed=self.seed,
            logprobs=self.logprobs,
        )


class SamplingFields(DrawingFields):
    """How candidates are drawn, and by which generator."""

    generator: str | None = Field(None, description="A name from /v1/models; default: the first configured one.")


class ProblemFields(Request):
    """A problem, or a conversation that ends with it."""

    problem: Text | None = None
    messages: list[MessageIn] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.problem is None) == (self.messages is None):
            raise ValueError("give either problem or messages")
        if self.messages is not None:
            split_conversation(self.messages)
        if not self.last_turn().strip():
            raise ValueError("the problem is empty")
        return self

    def last_turn(self) -> str:
        """The problem's text."""
        return self.problem if self.problem is not None else split_conversation(self.messages or [])[1]

    def context(self) -> tuple[Message, ...]:
        """The turns before it."""
        return () if self.messages is None else split_conversation(self.messages)[0]

    def conversation(self, preface: tuple[Message, ...]) -> list[Message]:
        """All turns that the policy sees: messages as they were sent, a bare problem after the generator's preface."""
        before = preface if self.messages is None else self.context()
        return [*before, Message("user", self.last_turn())]


class SampleRequest(SamplingFields, ProblemFields):
    """Draw candidates for one problem."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"problem": "2 + 3?", "n": 4, "max_tokens": 256, "seed": 1},
                {"problem": "2 + 3 + 4?", "beginning": "2 + 3 = 5\n", "n": 4},
            ]
        }
    )

    beginning: Text | None = Field(
        None,
        description="What the answer begins with; candidates hold what follows. A blank one is none. "
        "A remote generator needs vLLM's `extensions` for it.",
    )

    def given_beginning(self) -> str:
        """What the answer begins with, empty where that is nothing."""
        return self.beginning if self.beginning is not None and self.beginning.strip() else ""


class CandidateOut(Response):
    """A drawn candidate with the policy's own token ids; log-probabilities are natural logs.

    A generator behind a server may tell no token ids (empty) and no log-probabilities (null).
    """

    index: int
    text: str
    steps: list[str]
    answer: str | None
    finish_reason: Literal["stop", "length"]
    num_tokens: int
    token_ids: list[int]
    logprobs: list[float] | None = None
    cumulative_logprob: float | None


class SampleUsage(Response):
    """Tokens of the prompt, once (null where the generator does not tell them), and of all candidates."""

    prompt_tokens: int | None
    completion_tokens: int


class SampleResponse(Response):
    """Candidates in order."""

    id: str
    generator: str
    fingerprint: str | None
    prompt_token_ids: list[int]
    candidates: list[CandidateOut]
    usage: SampleUsage
    timing: TimingOut


def candidate_views(samples: Samples, steps: list[list[str]], answers: list[str | None]) -> list[dict[str, Any]]:
    """Drawn candidates as JSON."""
    views = []
    for candidate, its_steps, answer in zip(samples.candidates, steps, answers, strict=True):
        view = {
            "index": candidate.index,
            "text": candidate.text,
            "steps": its_steps,
            "answer": answer,
            "finish_reason": candidate.finish_reason,
            "num_tokens": candidate.num_tokens,
            "token_ids": list(candidate.token_ids),
            "cumulative_logprob": candidate.cumulative_logprob,
        }
        if candidate.logprobs is not None:
            view["logprobs"] = list(candidate.logprobs)
        views.append(view)
    return views


def sample_usage(samples: Samples) -> dict[str, int | None]:
    """Token counts of a draw."""
    return {
        "prompt_tokens": len(samples.prompt_token_ids) or None,
        "completion_tokens": sum(candidate.num_tokens for candidate in samples.candidates),
    }

"""What the rooms expect of each other, as Protocols; `wiring.py` decides who fills them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from surefoot.domain import (
    CacheName,
    EncodedParts,
    Forwarded,
    ForwardItem,
    GroupScore,
    Message,
    Prompt,
    SampledCandidate,
    SamplerState,
    SamplingOptions,
    ScoredBy,
    ScoreOptions,
    ScoreTask,
    SolutionScore,
    TextPart,
    Usage,
)


class Tokenizer(Protocol):
    """Text to token ids of one model."""

    @property
    def bos_token_id(self) -> int | None: ...

    def fewest_tokens(self, text: str) -> int:
        """A number of tokens that the text has at least, found without tokenising it; 0 promises nothing."""
        ...

    def encode_text(self, text: str) -> list[int]:
        """Token ids of untrusted text: control tokens spelled out in it stay plain text.

        Raises `UnsafeText` where the tokenizer cannot promise that.
        """
        ...

    def encode_markup(self, text: str) -> list[int]:
        """Token ids of trusted template text: control tokens are recognised; nothing is added around it."""
        ...

    def encode_parts(self, parts: Sequence[TextPart]) -> EncodedParts:
        """The parts joined and tokenised as one text, as a reference does that tokenises what it has formatted.

        Control tokens spelled out in parts that are not trusted stay plain text. Raises `UnsafeText`.
        """
        ...

    def chat_text(
        self,
        messages: Sequence[Message],
        *,
        add_generation_prompt: bool,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """The model's chat template applied to `messages`, with further variables for the template."""
        ...

    def decode(self, token_ids: Sequence[int]) -> str: ...


class Backend(Protocol):
    """A loaded model that reads values at given positions."""

    @property
    def name(self) -> str: ...

    @property
    def max_input_tokens(self) -> int: ...

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        """Raw values of each item in order; blocking, called by one thread at a time.

        `rows[j]` of the i-th result are the head's outputs, in fp32, at `batch[i].rendered.readout_positions[j]`.
        """
        ...

    def close(self) -> None: ...


class Sampler(Protocol):
    """Draws candidate solutions from a policy."""

    @property
    def fingerprint(self) -> str | None:
        """Names what the samples depend on; `None` until the engine has started."""
        ...

    def state(self) -> SamplerState: ...

    async def start(self) -> None:
        """Load the engine; idempotent. Raises `SamplerUnavailable`."""
        ...

    async def encode_prompt(self, messages: Sequence[Message], *, beginning: str = "") -> Prompt:
        """A conversation that ends with a user turn, with the policy's own tokens where it tells them.

        Candidates go on from `beginning`, what the assistant has said of its answer. Raises `InputTooLong`, and
        `InvalidRequest` where the policy cannot go on from one.
        """
        ...

    def sample(self, prompt: Prompt, options: SamplingOptions) -> AsyncIterator[SampledCandidate]:
        """Candidates as they finish, in any order, each index once. Closing the iterator stops the engine's work."""
        ...

    async def close(self) -> None: ...


class Scorer(Protocol):
    """Scores a group of tasks that belong to one request."""

    async def score_group(self, tasks: Sequence[ScoreTask], options: ScoreOptions) -> GroupScore:
        """One result per task, in order. A bad task becomes an `ItemError` in its place.

        Raises `RequestError` (queue full, group too large, aggregation not defined) for the group as a whole.
        """
        ...


class Telemetry(Protocol):
    """Where measurements go; Prometheus in production, nothing in most tests."""

    def request_finished(self, route: str, status: int, seconds: float) -> None: ...

    def error(self, code: str) -> None: ...

    def group_prepared(self, model: str, seconds: float) -> None:
        """A request's inputs are split, rendered and tokenised; may be called in any thread."""
        ...

    def admission_refused(self, backend: str, reason: str) -> None:
        """A queue did not take a group; `reason` is the error's code."""
        ...

    def cache_hit(self, backend: str, cache: CacheName, num_inputs: int, num_tokens: int) -> None:
        """So many tokens of so many inputs were known from before."""
        ...

    def queue_changed(self, model: str, num_requests: int, num_tokens: int) -> None: ...

    def batch_forwarded(
        self, model: str, num_items: int, num_tokens: int, queue_s: Sequence[float], forward_s: float
    ) -> None: ...

    def group_forwarded(self, model: str, num_inputs: int, queue_s: float, forward_s: float) -> None:
        """All inputs of a group have just come back; the longest of their waits, and of their passes."""
        ...

    def group_scored(self, model: str, usage: Usage) -> None: ...

    def solutions_scored(self, by: ScoredBy, groups: Sequence[Sequence[SolutionScore]]) -> None:
        """What a model said of solutions, those of one problem in one group."""
        ...

    def group_compared(self, by: ScoredBy, group: Sequence[SolutionScore]) -> None:
        """Solutions of one problem that were scored one after another."""
        ...

    def models_compared(
        self, process: str, outcome: str, scores: Sequence[tuple[SolutionScore, SolutionScore]]
    ) -> None:
        """What a process and an outcome model said of solutions of one problem, in pairs."""
        ...

    def shadow_group(self, model: str, outcome: str) -> None:
        """A served group was compared with what a candidate gives, or dropped, or the candidate failed on it."""
        ...

    def shadow_compared(
        self, model: str, differences: Sequence[float], alike: Sequence[bool], other_best: Sequence[bool]
    ) -> None:
        """|Difference| of each score that the model and its candidate gave, whether they judge it alike, and of each
        problem whether their bests differ."""
        ...

    def candidates_sampled(self, generator: str, num_candidates: int, num_tokens: int, seconds: float) -> None: ...

    def sampler_failed(self, generator: str) -> None: ...


class SilentTelemetry:
    """A Telemetry that keeps nothing."""

    def request_finished(self, route: str, status: int, seconds: float) -> None: ...

    def error(self, code: str) -> None: ...

    def group_prepared(self, model: str, seconds: float) -> None: ...

    def admission_refused(self, backend: str, reason: str) -> None: ...

    def cache_hit(self, backend: str, cache: CacheName, num_inputs: int, num_tokens: int) -> None: ...

    def queue_changed(self, model: str, num_requests: int, num_tokens: int) -> None: ...

    def batch_forwarded(
        self, model: str, num_items: int, num_tokens: int, queue_s: Sequence[float], forward_s: float
    ) -> None: ...

    def group_forwarded(self, model: str, num_inputs: int, queue_s: float, forward_s: float) -> None: ...

    def group_scored(self, model: str, usage: Usage) -> None: ...

    def solutions_scored(self, by: ScoredBy, groups: Sequence[Sequence[SolutionScore]]) -> None: ...

    def group_compared(self, by: ScoredBy, group: Sequence[SolutionScore]) -> None: ...

    def models_compared(
        self, process: str, outcome: str, scores: Sequence[tuple[SolutionScore, SolutionScore]]
    ) -> None: ...

    def shadow_group(self, model: str, outcome: str) -> None: ...

    def shadow_compared(
        self, model: str, differences: Sequence[float], alike: Sequence[bool], other_best: Sequence[bool]
    ) -> None: ...

    def candidates_sampled(self, generator: str, num_candidates: int, num_tokens: int, seconds: float) -> None: ...

    def sampler_failed(self, generator: str) -> None: ...

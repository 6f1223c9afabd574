"""The nouns of the service: small frozen values that the rooms hand to each other.

All indices are 0-based; text positions count Unicode code points; times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from surefoot.verdicts import CheckName, StepCheck, StepsSummary

Role = Literal["system", "user", "assistant"]
Kind = Literal["process", "outcome"]
Scale = Literal["probability", "signed", "unbounded"]
DtypeName = Literal["float32", "bfloat16", "float16"]
Aggregation = Literal["prod", "min", "mean", "last", "sum_logprob", "sum", "soft_min"]
Strategy = Literal["process", "outcome", "majority", "process_weighted", "outcome_weighted", "process_outcome"]
Splitting = Literal["newline", "blank_line", "numbered", "step_prefix", "separator", "auto"]
Priority = Literal["interactive", "bulk"]
FinishReason = Literal["stop", "length"]
CacheName = Literal["scores", "prefixes"]
Dialect = Literal["vllm", "cohere", "jina", "tei", "openrlhf", "slime", "openr"]
FaultKind = Literal["failed_pass", "stuck_pass", "stopped", "restart"]
"""What can go wrong with an engine: a forward pass failed (a batch that is halved to find the guilty input fails again
with each half), or did not end; nothing can be computed any more; its process died and was started again."""

OPTIONAL_AGGREGATIONS: frozenset[Aggregation] = frozenset({"sum", "soft_min"})
"""Aggregates that exist only where a profile asks for them."""

PROBABILITY_FLOOR = 1e-9
"""Probabilities are kept inside [floor, 1 - floor] before a logarithm is taken."""


@dataclass(frozen=True, slots=True)
class CacheUse:
    """How full a cache is. Entries are inputs of the score cache, tokens of the prefix cache; bytes are `None` where
    they are not known."""

    entries: int
    max_entries: int
    num_bytes: int | None = None
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One chat turn."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a solution; `span` is its half-open place in `Solution.text`."""

    text: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Solution:
    """A solution text and its steps, in order and without overlap."""

    text: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ScoreTask:
    """What to score: a problem with either a whole `solution` or given `steps` (exactly one of them).

    `context` holds the turns before the problem when the caller sent a conversation. `blank_steps`: steps without text
    are scored too, for callers who count them; otherwise they are refused.
    """

    problem: str
    solution: str | None = None
    steps: tuple[str, ...] | None = None
    context: tuple[Message, ...] = ()
    id: str | None = None
    blank_steps: bool = False


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """How a group of tasks is scored; `None` means the model's own default.

    `checks` are made on every step beside the model; `combine_checks` asks for the score with their verdicts taken in.
    What is not counted is no reward that anyone asked for, but a probe or a comparison: no metric of rewards shows it.
    """

    aggregation: Aggregation | None = None
    threshold: float | None = None
    trace: bool = False
    priority: Priority = "interactive"
    timeout_s: float | None = None
    checks: tuple[CheckName, ...] = ()
    combine_checks: bool = False
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of a text that is tokenised as one whole; control tokens are recognised in trusted pieces alone."""

    text: str
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class EncodedParts:
    """Tokens of a text in parts; `last_tokens[i]` is the index of the token that holds part i's last character, for an
    empty part that of the token before it, -1 where there is none."""

    token_ids: tuple[int, ...]
    last_tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RenderedInput:
    """Tokens of one input and the positions in it where values are read, one per step, ascending.

    `solution_start` is the index of the solution's first token where a model needs to know it.
    """

    token_ids: tuple[int, ...]
    readout_positions: tuple[int, ...]
    solution_start: int = 0

    @property
    def num_tokens(self) -> int:
        return len(self.token_ids)


@dataclass(frozen=True, slots=True)
class ForwardItem:
    """One input on its way through a backend, and the name of the head that reads it."""

    rendered: RenderedInput
    head: str


Rows = tuple[tuple[float, ...], ...]
"""Raw values before any activation: one row per readout position, one column per output of the head."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a backend gives for one input, and how many of its tokens it knew from before."""

    rows: Rows
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ForwardResult:
    """Rows of one input and what they cost."""

    rows: Rows
    queue_s: float
    forward_s: float
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class StepScore:
    """A scored step. `probabilities` is null on scales that are not probabilities."""

    index: int
    span: tuple[int, int]
    score: float
    raw: tuple[float, ...]
    probabilities: Mapping[str, float] | None
    checks: tuple[StepCheck, ...] = ()


@dataclass(frozen=True, slots=True)
class SolutionScore:
    """Everything that one model says of one solution. Process fields are empty or null for an outcome model.

    `checked` is what follows once the verdicts of rule checks are taken in; everything else is the model's own.
    """

    kind: Kind
    text: str
    steps: tuple[StepScore, ...]
    score: float
    raw: tuple[float, ...] | None
    first_error: int | None
    first_error_probabilities: tuple[float, ...] | None
    no_error_probability: float | None
    aggregations: Mapping[str, float]
    num_tokens: int
    cached_tokens: int = 0
    trace: tuple[float, ...] | None = None
    checked: StepsSummary | None = None


@dataclass(frozen=True, slots=True)
class ScoredBy:
    """Which model scored, and how its scores are to be read; an outcome model aggregates nothing. From `threshold` on
    something is judged right."""

    model: str
    kind: Kind
    scale: Scale
    aggregation: Aggregation
    threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of a request: as sent, each distinct prefix once, and read from a cache."""

    prompt_tokens: int = 0
    unique_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """Where a request's time went, in seconds."""

    queue_s: float = 0.0
    forward_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How candidates are drawn. With a `seed`, candidate i depends on the seed and i alone."""

    n: int = 1
    temperature: float = 0.8
    top_p: float = 0.95
    top_k: int | None = None
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    seed: int | None = None
    logprobs: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation as the policy reads it, and what the answer to it begins with; `token_ids` are those of both, and
    empty where the policy keeps its tokens to itself."""

    messages: tuple[Message, ...]
    token_ids: tuple[int, ...] = ()
    beginning: str = ""


@dataclass(frozen=True, slots=True)
class SampledCandidate:
    """One finished candidate with the policy's own token ids; log-probabilities are natural logs per token.

    A policy behind a server may give no `token_ids` (empty) and no log-probabilities (`None`); `reported_tokens` is
    then its own count of what it drew.
    """

    index: int
    text: str
    token_ids: tuple[int, ...]
    finish_reason: FinishReason
    cumulative_logprob: float | None
    logprobs: tuple[float, ...] | None = None
    reported_tokens: int | None = None

    @property
    def num_tokens(self) -> int:
        """Tokens drawn, by the best count there is."""
        return len(self.token_ids) or self.reported_tokens or 0


@dataclass(frozen=True, slots=True)
class SamplerState:
    """What `/ready` and the start-up banner say about a generator."""

    name: str
    engine: str
    state: Literal["idle", "starting", "ready", "failed"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class GroupScore:
    """Results of one request in the order of its tasks: a score or the item's error."""

    results: tuple[SolutionScore | Exception, ...]
    usage: Usage = field(default_factory=Usage)
    timing: Timing = field(default_factory=Timing)

"""The answers of `/sample` and `/best_of_n`."""

from __future__ import annotations

from dataclasses import dataclass, field

from surefoot_client.rankings import Ranking
from surefoot_client.reading import Fields, Received, flag, integer, list_of, number, text
from surefoot_client.usage import SamplingUsage, Timing


@dataclass(frozen=True, slots=True)
class Candidate(Received):
    """One sampled solution. `token_ids` are the policy's own; log-probabilities are natural logs per token."""

    index: int
    text: str
    steps: tuple[str, ...] = ()
    answer: str | None = None
    finish_reason: str | None = None
    num_tokens: int = 0
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] | None = None
    cumulative_logprob: float | None = None

    @classmethod
    def from_dict(cls, value: object, path: str = "candidate") -> Candidate:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            index=fields.required("index", integer),
            text=fields.required("text", text),
            steps=fields.optional("steps", list_of(text)) or (),
            answer=fields.optional("answer", text),
            finish_reason=fields.optional("finish_reason", text),
            num_tokens=fields.optional("num_tokens", integer) or 0,
            token_ids=fields.optional("token_ids", list_of(integer)) or (),
            logprobs=fields.optional("logprobs", list_of(number)),
            cumulative_logprob=fields.optional("cumulative_logprob", number),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class SampleResponse(Received):
    """Candidates of one problem and the policy's tokens of its prompt."""

    generator: str
    candidates: tuple[Candidate, ...]
    prompt_token_ids: tuple[int, ...] = ()
    fingerprint: str | None = None
    id: str | None = None
    usage: SamplingUsage = field(default_factory=SamplingUsage)
    timing: Timing = field(default_factory=Timing)

    @classmethod
    def from_dict(cls, value: object, path: str = "response") -> SampleResponse:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            generator=fields.required("generator", text),
            candidates=fields.required("candidates", list_of(Candidate.from_dict)),
            prompt_token_ids=fields.optional("prompt_token_ids", list_of(integer)) or (),
            fingerprint=fields.optional("fingerprint", text),
            id=fields.optional("id", text),
            usage=fields.optional("usage", SamplingUsage.from_dict) or SamplingUsage(),
            timing=fields.optional("timing", Timing.from_dict) or Timing(),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class EarlyStopSaving(Received):
    """What an early stop saved; `confidence` is that of the lead among all candidates that were drawn."""

    stopped: bool
    samples_drawn: int
    samples_saved: int
    confidence: float

    @classmethod
    def from_dict(cls, value: object, path: str = "early_stop") -> EarlyStopSaving:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            stopped=fields.required("stopped", flag),
            samples_drawn=fields.required("samples_drawn", integer),
            samples_saved=fields.required("samples_saved", integer),
            confidence=fields.required("confidence", number),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class BestOfN(Received):
    """Sampled candidates, their ranking and the chosen one; `fingerprint` is the generator's.

    `best` is the chosen candidate's `index`. `best`, `answer` and `text` are `None` when the server abstained or no
    candidate could be scored. After an early stop the indices may have gaps; `early_stop` is `None` where none was
    asked for.
    """

    id: str
    generator: str
    candidates: tuple[Candidate, ...]
    ranking: Ranking
    best: int | None
    answer: str | None
    text: str | None
    prompt_token_ids: tuple[int, ...] = ()
    fingerprint: str | None = None
    early_stop: EarlyStopSaving | None = None
    usage: SamplingUsage = field(default_factory=SamplingUsage)
    timing: Timing = field(default_factory=Timing)

    @classmethod
    def from_dict(cls, value: object, path: str = "response") -> BestOfN:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            id=fields.required("id", text),
            generator=fields.required("generator", text),
            candidates=fields.required("candidates", list_of(Candidate.from_dict)),
            ranking=fields.required("ranking", Ranking.from_dict),
            best=fields.optional("best", integer),
            answer=fields.optional("answer", text),
            text=fields.optional("text", text),
            prompt_token_ids=fields.optional("prompt_token_ids", list_of(integer)) or (),
            fingerprint=fields.optional("fingerprint", text),
            early_stop=fields.optional("early_stop", EarlyStopSaving.from_dict),
            usage=fields.optional("usage", SamplingUsage.from_dict) or SamplingUsage(),
            timing=fields.optional("timing", Timing.from_dict) or Timing(),
            _json=fields.json,
        )

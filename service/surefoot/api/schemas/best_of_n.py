"""`POST /best_of_n`: request, answer, and the events of a stream."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from surefoot.api.schemas.common import ErrorOut, Request, Response, TimingOut, UsageOut
from surefoot.api.schemas.rank import RankedGroupOut, RankingFields, score_view
from surefoot.api.schemas.sample import CandidateOut, ProblemFields, SampleUsage, SamplingFields
from surefoot.best_of_n import CandidateScored, Saving
from surefoot.early_stop import EarlyStop
from surefoot.errors import InvalidRequest
from surefoot.selection import STRATEGIES


class BestOfNSampling(SamplingFields):
    """How candidates are drawn for a best of N."""

    n: int = Field(8, ge=1, description="Candidates to draw.")


class EarlyStopFields(Request):
    """When a vote ends before all candidates are drawn."""

    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="The posterior probability, from 0.5 to 1, that the leading answer stays first."
    )
    min_n: int = Field(4, ge=1, description="Candidates to score before any stop.")


class BestOfNRequest(ProblemFields):
    """Draw candidates, rank them, pick one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "problem": "2 + 3?",
                    "sampling": {"n": 8},
                    "ranking": {"strategy": "process_weighted"},
                    "early_stop": {"confidence": 0.95, "min_n": 4},
                },
            ]
        }
    )

    sampling: BestOfNSampling = Field(default_factory=BestOfNSampling)
    ranking: RankingFields = Field(default_factory=RankingFields)
    stream: bool = Field(False, description="Server-sent events: candidate, score, and at the end result or error.")
    early_stop: EarlyStopFields | None = Field(None, description="For strategies that vote.")

    def to_early_stop(self) -> EarlyStop | None:
        """The domain's rule. Raises `InvalidRequest` where the strategy does not vote."""
        if self.early_stop is None:
            return None
        if not STRATEGIES[self.ranking.strategy].by_vote:
            voting = ", ".join(name for name, rule in STRATEGIES.items() if rule.by_vote)
            raise InvalidRequest(
                f"early_stop: strategy {self.ranking.strategy!r} does not vote, so every candidate can be the best; "
                f"leave early_stop out, or choose one of {voting}",
                param="early_stop",
            )
        return EarlyStop(self.early_stop.confidence, self.early_stop.min_n)


class BestOfNUsage(SampleUsage):
    """Tokens sampled, and tokens scored; `unique_tokens` adds up the candidates, which are scored one by one."""

    scoring: UsageOut


class RankingOut(RankedGroupOut):
    """The candidates in order, as /rerank gives them; their indices are those of the drawn candidates."""

    strategy: str
    models: dict[str, str]
    fingerprints: dict[str, str]


class SavingOut(Response):
    """What the early stop saved; `confidence` is that of the lead among all that was drawn."""

    stopped: bool
    samples_drawn: int
    samples_saved: int
    confidence: float

    @classmethod
    def of(cls, saving: Saving) -> SavingOut:
        """From the domain."""
        return cls(
            stopped=saving.stopped,
            samples_drawn=saving.samples_drawn,
            samples_saved=saving.samples_saved,
            confidence=saving.confidence,
        )


class BestOfNResponse(Response):
    """The candidates, their ranking, and the pick (null when abstaining).

    `best` is the pick's `index`. After an early stop the indices have gaps where candidates were not drawn.
    """

    id: str
    generator: str
    fingerprint: str | None
    prompt_token_ids: list[int]
    candidates: list[CandidateOut]
    ranking: RankingOut
    best: int | None
    answer: str | None
    text: str | None
    early_stop: SavingOut | None = None
    usage: BestOfNUsage
    timing: TimingOut


def scored_view(event: CandidateScored) -> dict[str, Any]:
    """A `score` event as JSON: what the answer's ranking will say of this candidate alone."""
    if event.error is not None:
        return {"index": event.index, "error": ErrorOut.of(event.error).model_dump()}
    return {"index": event.index, **score_view(event.process, event.outcome)}

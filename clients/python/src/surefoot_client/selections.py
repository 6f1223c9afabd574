"""The answer of `/select`: the candidates that are worth a label."""

from __future__ import annotations

from dataclasses import dataclass, field

from surefoot_client.reading import Fields, Received, flag, integer, list_of, number, text
from surefoot_client.scores import ItemFailure, or_failure, raise_for_failures
from surefoot_client.usage import Timing, Usage


@dataclass(frozen=True, slots=True)
class ChosenCandidate(Received):
    """A chosen candidate; `index` is its place among the item's candidates.

    `reason` is `convincing_wrong_answer` or `most_convincing_of_the_rest`. `is_correct` is `None` where no answer was
    found in the candidate, `first_error` the 0-based index of its first step below the model's threshold.
    """

    index: int
    score: float
    reason: str
    id: str | None = None
    answer: str | None = None
    is_correct: bool | None = None
    first_error: int | None = None

    @classmethod
    def from_dict(cls, value: object, path: str = "candidate") -> ChosenCandidate:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            index=fields.required("index", integer),
            score=fields.required("score", number),
            reason=fields.required("reason", text),
            id=fields.optional("id", text),
            answer=fields.optional("answer", text),
            is_correct=fields.optional("is_correct", flag),
            first_error=fields.optional("first_error", integer),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class ItemSelection(Received):
    """One item's choices: wrong answers first, then the rest, each best first. `failed` could not be scored."""

    index: int
    chosen: tuple[ChosenCandidate, ...]
    failed: tuple[ItemFailure, ...] = ()

    @classmethod
    def from_dict(cls, value: object, path: str = "result") -> ItemSelection:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            index=fields.required("index", integer),
            chosen=fields.required("chosen", list_of(ChosenCandidate.from_dict)),
            failed=fields.optional("failed", list_of(ItemFailure.from_dict)) or (),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class SelectResponse(Received):
    """`results[i]` belongs to the i-th item that was sent, an `ItemFailure` where that item failed."""

    id: str
    model: str
    fingerprint: str
    results: tuple[ItemSelection | ItemFailure, ...]
    usage: Usage = field(default_factory=Usage)
    timing: Timing = field(default_factory=Timing)

    def raise_for_failures(self) -> list[ItemSelection]:
        """All selections when no item failed; else raises `ItemsFailed`."""
        return raise_for_failures(self.results)

    @classmethod
    def from_dict(cls, value: object, path: str = "response") -> SelectResponse:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            id=fields.required("id", text),
            model=fields.required("model", text),
            fingerprint=fields.required("fingerprint", text),
            results=fields.required("results", list_of(or_failure(ItemSelection.from_dict))),
            usage=fields.optional("usage", Usage.from_dict) or Usage(),
            timing=fields.optional("timing", Timing.from_dict) or Timing(),
            _json=fields.json,
        )

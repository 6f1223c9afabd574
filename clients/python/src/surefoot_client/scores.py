"""The answer of `/score`: one result or one explicit failure per item, in the order of the items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from surefoot_client.checks import CheckedScore, StepCheck
from surefoot_client.error_table import error_class
from surefoot_client.errors import ItemsFailed, ServerError, TransportError
from surefoot_client.reading import Fields, Reader, Received, integer, list_of, map_of, number, span, text
from surefoot_client.reward_treatment import RewardTreatment
from surefoot_client.usage import Timing, Usage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StepScore(Received):
    """A scored step; `span` is its half-open place in the result's `text`, in Unicode code points.

    `raw` holds the model's values before activation; `probabilities` is `None` where the scale has none. `checks` are
    the verdicts of the rule checks that were asked for; they change none of the other fields.
    """

    index: int
    score: float
    span: tuple[int, int] | None = None
    raw: tuple[float, ...] | None = None
    probabilities: Mapping[str, float] | None = None
    checks: tuple[StepCheck, ...] = ()

    @classmethod
    def from_dict(cls, value: object, path: str = "step") -> StepScore:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            index=fields.required("index", integer),
            score=fields.required("score", number),
            span=fields.optional("span", span),
            raw=fields.optional("raw", list_of(number)),
            probabilities=fields.optional("probabilities", map_of(number)),
            checks=fields.optional("checks", list_of(StepCheck.from_dict)) or (),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class ItemResult(Received):
    """Everything that one model says of one solution.

    `score` is on the response's `scale`. `first_error` is the 0-based index of the first step below the threshold,
    `None` without one. `first_error_probabilities[i]` is the probability that step i is the first wrong one; with
    `no_error_probability` they sum to 1. `trace` holds an outcome model's value after each step, on request, and
    `checked` the scores with the verdicts of rule checks taken in, where `combine_checks` asked for them. `reward` is
    the score after what `rewards` asked for.
    """

    index: int
    kind: str
    text: str
    score: float
    id: str | None = None
    steps: tuple[StepScore, ...] = ()
    raw: tuple[float, ...] | None = None
    first_error: int | None = None
    first_error_probabilities: tuple[float, ...] | None = None
    no_error_probability: float | None = None
    aggregations: Mapping[str, float] = field(default_factory=dict)
    num_tokens: int = 0
    cached_tokens: int = 0
    trace: tuple[float, ...] | None = None
    checked: CheckedScore | None = None
    reward: float | None = None

    @classmethod
    def from_dict(cls, value: object, path: str = "result") -> ItemResult:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            index=fields.required("index", integer),
            kind=fields.required("kind", text),
            text=fields.required("text", text),
            score=fields.required("score", number),
            id=fields.optional("id", text),
            steps=fields.optional("steps", list_of(StepScore.from_dict)) or (),
            raw=fields.optional("raw", list_of(number)),
            first_error=fields.optional("first_error", integer),
            first_error_probabilities=fields.optional("first_error_probabilities", list_of(number)),
            no_error_probability=fields.optional("no_error_probability", number),
            aggregations=fields.optional("aggregations", map_of(number)) or {},
            num_tokens=fields.optional("num_tokens", integer) or 0,
            cached_tokens=fields.optional("cached_tokens", integer) or 0,
            trace=fields.optional("trace", list_of(number)),
            checked=fields.optional("checked", CheckedScore.from_dict),
            reward=fields.optional("reward", number),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class ItemFailure(Received):
    """An item without a score, and why. It has no `score` on purpose: a failure is not a bad solution.

    `error` has `code`, `message` and `retryable`; it is a `TransportError` only where `score_iter` marked the items of
    a request that got no answer.
    """

    index: int
    error: ServerError | TransportError
    id: str | None = None

    @classmethod
    def from_dict(cls, value: object, path: str = "result") -> ItemFailure:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            index=fields.required("index", integer),
            error=fields.required("error", item_error),
            id=fields.optional("id", text),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class ScoreResponse(Received):
    """`results[i]` belongs to the i-th item that was sent; `rewards` says what was done to get each one's `reward`."""

    id: str
    model: str
    fingerprint: str
    scale: str
    results: tuple[ItemResult | ItemFailure, ...]
    usage: Usage = field(default_factory=Usage)
    timing: Timing = field(default_factory=Timing)
    rewards: RewardTreatment | None = None

    @property
    def failures(self) -> tuple[ItemFailure, ...]:
        """The failed items, in order."""
        return tuple(result for result in self.results if isinstance(result, ItemFailure))

    def raise_for_failures(self) -> list[ItemResult]:
        """All results when no item failed, so that their scores may be read; else raises `ItemsFailed`."""
        return raise_for_failures(self.results)

    @classmethod
    def from_dict(cls, value: object, path: str = "response") -> ScoreResponse:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            id=fields.required("id", text),
            model=fields.required("model", text),
            fingerprint=fields.required("fingerprint", text),
            scale=fields.required("scale", text),
            results=fields.required("results", list_of(or_failure(ItemResult.from_dict))),
            usage=fields.optional("usage", Usage.from_dict) or Usage(),
            timing=fields.optional("timing", Timing.from_dict) or Timing(),
            rewards=fields.optional("rewards", RewardTreatment.from_dict),
            _json=fields.json,
        )


def raise_for_failures(results: Iterable[T | ItemFailure]) -> list[T]:
    """The results as a list when none is an `ItemFailure`; else raises `ItemsFailed` with all failures."""
    succeeded: list[T] = []
    failures: list[ItemFailure] = []
    for result in results:
        if isinstance(result, ItemFailure):
            failures.append(result)
        else:
            succeeded.append(result)
    if failures:
        total = len(succeeded) + len(failures)
        reasons = ", ".join(f"item {failure.index}: {failure.error.code}" for failure in failures[:5])
        more = ", …" if len(failures) > 5 else ""
        message = f"{len(failures)} of {total} items failed ({reasons}{more})"
        raise ItemsFailed(message, tuple(failures)) from failures[0].error
    return succeeded


def item_error(value: object, path: str) -> ServerError:
    """The `error` object of one item as an exception."""
    fields = Fields(value, path)
    code = fields.required("code", text)
    message = fields.optional("message", text) or f"the item failed with {code}"
    return error_class(code, None)(message, code=code, param=fields.optional("param", text))


def or_failure(read: Reader[T]) -> Reader[T | ItemFailure]:
    """Reader of an item's result, which is an `ItemFailure` where the item has an `error`."""

    def read_item(value: object, path: str) -> T | ItemFailure:
        failed = Fields(value, path).json.get("error") is not None
        return ItemFailure.from_dict(value, path) if failed else read(value, path)

    return read_item

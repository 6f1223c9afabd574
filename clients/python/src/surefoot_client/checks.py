"""What rule checks say of steps, and what follows for a solution once they are taken in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from surefoot_client.reading import Fields, Received, integer, list_of, map_of, number, span, text


@dataclass(frozen=True, slots=True)
class FailedEquation(Received):
    """An equation that does not hold; `span` is its place in the step's own text, in Unicode code points."""

    span: tuple[int, int]
    expected: str
    found: str

    @classmethod
    def from_dict(cls, value: object, path: str = "failed") -> FailedEquation:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            span=fields.required("span", span),
            expected=fields.required("expected", text),
            found=fields.required("found", text),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class ArithmeticDetail(Received):
    """How many equations of a step were judged, and those that failed."""

    equations: int
    failed: tuple[FailedEquation, ...]

    @classmethod
    def from_dict(cls, value: object, path: str = "detail") -> ArithmeticDetail:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            equations=fields.required("equations", integer),
            failed=fields.required("failed", list_of(FailedEquation.from_dict)),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class StepCheck(Received):
    """A rule's verdict on one step: `pass`, `fail` or `nothing_to_check`.

    `detail` is that of the check named `arithmetic`; that of a check this client does not know stands in `to_dict()`.
    """

    name: str
    verdict: str
    detail: ArithmeticDetail | None = None

    @classmethod
    def from_dict(cls, value: object, path: str = "check") -> StepCheck:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        name = fields.required("name", text)
        return cls(
            name=name,
            verdict=fields.required("verdict", text),
            detail=fields.optional("detail", ArithmeticDetail.from_dict) if name == "arithmetic" else None,
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class CheckedScore(Received):
    """A solution's scores with the verdicts of the checks taken in, beside the model's own.

    `step_scores` are in the order of the steps; the other fields mean what they mean on an `ItemResult`.
    """

    step_scores: tuple[float, ...]
    score: float
    first_error: int | None
    first_error_probabilities: tuple[float, ...] | None
    no_error_probability: float | None
    aggregations: Mapping[str, float]

    @classmethod
    def from_dict(cls, value: object, path: str = "checked") -> CheckedScore:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            step_scores=fields.required("step_scores", list_of(number)),
            score=fields.required("score", number),
            first_error=fields.optional("first_error", integer),
            first_error_probabilities=fields.optional("first_error_probabilities", list_of(number)),
            no_error_probability=fields.optional("no_error_probability", number),
            aggregations=fields.optional("aggregations", map_of(number)) or {},
            _json=fields.json,
        )

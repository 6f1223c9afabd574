"""What rule checks say of steps, and what follows for a solution from one score per step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

CheckName = Literal["arithmetic"]
CheckVerdict = Literal["pass", "fail", "nothing_to_check"]


@dataclass(frozen=True, slots=True)
class FailedEquation:
    """An equation that does not hold; `span` is its place in the step's text, the values are written as decimals."""

    span: tuple[int, int]
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class ArithmeticDetail:
    """How many equations of a step were judged, and those that failed."""

    num_equations: int
    failed: tuple[FailedEquation, ...]


@dataclass(frozen=True, slots=True)
class StepCheck:
    """What a rule, which needs no model, says of one step."""

    name: CheckName
    verdict: CheckVerdict
    detail: ArithmeticDetail


@dataclass(frozen=True, slots=True)
class StepsSummary:
    """What follows from one score per step. The probabilities are null on scales that are none."""

    step_scores: tuple[float, ...]
    score: float
    first_error: int | None
    first_error_probabilities: tuple[float, ...] | None
    no_error_probability: float | None
    aggregations: Mapping[str, float]

"""Rule checks beside the model: how they are asked for, and how their verdicts are told."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Self

from pydantic import Field, model_validator

from surefoot.api.schemas.common import Request, Response
from surefoot.domain import SolutionScore
from surefoot.verdicts import CheckName, CheckVerdict, StepCheck


class CheckFields(Request):
    """Which checks are made; shared by /score, /rerank and /best_of_n."""

    checks: list[CheckName] = Field(
        default_factory=list,
        description="Rule checks made on every step: `arithmetic`. Their verdicts stand in `steps[].checks`.",
    )
    combine_checks: bool = Field(
        False,
        description="Also answer `checked`: the scores with the probability of every step that failed a check "
        "multiplied by 0.01. A ranking then goes by those. All other fields stay the model's own.",
    )

    @model_validator(mode="after")
    def _something_to_combine(self) -> Self:
        if self.combine_checks and not self.checks:
            raise ValueError('combine_checks has nothing to combine: name checks, for example ["arithmetic"]')
        return self

    def check_names(self) -> tuple[CheckName, ...]:
        """The checks asked for, each once, in their order."""
        return tuple(dict.fromkeys(self.checks))


class FailedEquationOut(Response):
    """An equation that does not hold; `span` is its place in the step's own text, in code points, end exclusive."""

    span: tuple[int, int]
    expected: str
    found: str


class ArithmeticDetailOut(Response):
    """How many equations of the step were judged, and those that failed."""

    equations: int
    failed: list[FailedEquationOut]


class StepCheckOut(Response):
    """What a rule says of one step."""

    name: CheckName
    verdict: CheckVerdict
    detail: ArithmeticDetailOut


class CheckedOut(Response):
    """The model's scores with the verdicts of the checks taken in; `step_scores` are in the order of the steps."""

    step_scores: list[float]
    score: float
    first_error: int | None
    first_error_probabilities: list[float] | None
    no_error_probability: float | None
    aggregations: dict[str, float]


def check_view(check: StepCheck) -> dict[str, Any]:
    """One verdict as JSON."""
    return {
        "name": check.name,
        "verdict": check.verdict,
        "detail": {
            "equations": check.detail.num_equations,
            "failed": [asdict(equation) for equation in check.detail.failed],
        },
    }


def checked_view(score: SolutionScore) -> dict[str, Any]:
    """The combined scores as JSON, nothing where they were not asked for."""
    return {} if score.checked is None else {"checked": asdict(score.checked)}

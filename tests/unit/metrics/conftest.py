"""Solutions with given scores, and single values of an exposition."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from surefoot.domain import ScoredBy, SolutionScore, StepScore
from surefoot.metrics import PrometheusTelemetry

PRM = ScoredBy("prm", "process", "probability", "min")
ORM = ScoredBy("orm", "outcome", "probability", "prod")
REWARD = ScoredBy("reward", "outcome", "unbounded", "prod")


@pytest.fixture
def telemetry() -> PrometheusTelemetry:
    return PrometheusTelemetry(20, 20)


@pytest.fixture
def value(telemetry: PrometheusTelemetry) -> Callable[..., float]:
    """The value of the one series with that name and these labels among others."""

    def read(name: str, **labels: str) -> float:
        families = text_string_to_metric_families(telemetry.render().decode())
        [found] = [
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == f"surefoot_{name}" and labels.items() <= sample.labels.items()
        ]
        return found

    return read


@pytest.fixture
def has_series(telemetry: PrometheusTelemetry) -> Callable[[str], bool]:
    return lambda name: any(
        line.startswith(f"surefoot_{name}") for line in telemetry.render().decode().splitlines() if line[0] != "#"
    )


@pytest.fixture
def stepwise() -> Callable[..., SolutionScore]:
    """A solution by its steps' scores; its own score is the least of them."""

    def build(*steps: float, first_error: int | None = None, text: str = "a", score: float = 0.0) -> SolutionScore:
        scored = tuple(StepScore(index, (index, index + 1), step, (), None) for index, step in enumerate(steps))
        return SolutionScore(
            "process", text, scored, score, None, first_error, None, None, {"min": min(steps), "prod": score}, 9
        )

    return build


@pytest.fixture
def whole() -> Callable[..., SolutionScore]:
    """A solution by its score alone."""
    return lambda score, text="a": SolutionScore("outcome", text, (), score, None, None, None, None, {}, 9)


@pytest.fixture
def prm() -> ScoredBy:
    return PRM


@pytest.fixture
def orm() -> ScoredBy:
    return ORM


@pytest.fixture
def reward() -> ScoredBy:
    return REWARD

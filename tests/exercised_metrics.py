"""The service's exposition with at least one series of every metric, and what rules and panels may ask of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pretended_gpu import torch_with_one_gpu
from surefoot.domain import CacheUse, ScoredBy, SolutionScore, StepScore, Usage
from surefoot.metrics import EngineHealth, PrometheusTelemetry

ADDED_BY_PROMETHEUS = {"job", "instance"}
_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


@dataclass(frozen=True)
class Family:
    """A metric as it is exposed; `labels` without a histogram's `le`."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str

    @property
    def shown_name(self) -> str:
        return self.name + "_total" if self.type == "counter" else self.name

    @property
    def series(self) -> dict[str, set[str]]:
        """The names that a query may use, each with its labels."""
        return {
            self.name + suffix: {*self.labels, *({"le"} if suffix == "_bucket" else ())}
            for suffix in _SUFFIXES[self.type]
        }


def exposed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Family]:
    """All metrics by name, the GPUs' too."""
    telemetry = _exercised()
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "torch", torch_with_one_gpu(0.5))
        text = telemetry.render().decode()
    families = (family for family in text_string_to_metric_families(text) if not family.name.endswith("_created"))
    return {
        family.name: Family(
            family.name,
            family.type,
            tuple(label for label in family.samples[0].labels if label != "le"),
            family.documentation,
        )
        for family in families
    }


def names_and_labels(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each selector of a PromQL expression: its metric and the labels that it matches."""
    for name, matchers in re.findall(r"\b(surefoot[\w:]*|up)\b(?:\{([^}]*)\})?", expression):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', '""', matchers)))


def grouping_labels(expression: str) -> set[str]:
    """The labels in `by (...)` and `on (...)`."""
    return {
        label.strip() for found in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression) for label in found.split(",")
    }


def _exercised() -> PrometheusTelemetry:
    telemetry = PrometheusTelemetry(4, 4)
    health = EngineHealth({"failed_pass": 1}, {"prefixes": CacheUse(1, 2, 10, 20)})
    telemetry.watch(lambda: {"prm": "ready", "orm": "ready"}, lambda: {"default": "ready"}, lambda: {"prm": health})
    telemetry.request_finished("/score", 200, 0.1)
    telemetry.error("no_steps")
    telemetry.group_prepared("prm", 0.01)
    telemetry.admission_refused("prm", "queue_full")
    telemetry.queue_changed("prm", 1, 10)
    telemetry.batch_forwarded("prm", 1, 10, [0.1], 0.1)
    telemetry.group_scored("prm", Usage(10, 5, 2))
    telemetry.cache_hit("prm", "prefixes", 1, 2)
    telemetry.candidates_sampled("default", 1, 10, 0.1)
    telemetry.sampler_failed("default")
    solutions = [_solution(index) for index in range(8)]
    telemetry.solutions_scored(ScoredBy("prm", "process", "probability", "min"), [solutions])
    for outcome in ("compared", "dropped", "failed"):
        telemetry.shadow_group("prm", outcome)
    telemetry.shadow_compared("prm", [0.1], [True], [True])
    telemetry.models_compared("prm", "orm", [(solution, solution) for solution in solutions])
    return telemetry


def _solution(index: int) -> SolutionScore:
    score = index / 10
    steps = (StepScore(0, (0, 1), score, (), None),)
    return SolutionScore("process", "a" * (index + 1), steps, score, None, 0, None, None, {"min": score}, 9)

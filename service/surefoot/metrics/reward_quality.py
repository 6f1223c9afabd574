"""What the rewards look like: one glance tells whether a model still tells candidates apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from surefoot.domain import ScoredBy, SolutionScore
from surefoot.metrics.drift import DriftWindow
from surefoot.metrics.quality_measures import (
    have_different_bests,
    num_saturated,
    own_score,
    rank_correlation,
    relative_position,
    solution_scale,
)
from surefoot.metrics.score_histogram import (
    CORRELATION_BOUNDS,
    POSITION_BOUNDS,
    SCORE_BOUNDS,
    STEP_BOUNDS,
    VARIANCE_BOUNDS,
    ScoreHistogram,
)
from surefoot.metrics.states import States

_BY_MODEL = ("model",)
_BY_BOTH = ("process", "outcome")


class RewardQualityMetrics:
    """Measures of served scores. Labels are names of configured models, never anything that a caller sent."""

    def __init__(self, registry: CollectorRegistry, drift_reference: int, drift_recent: int) -> None:
        self._model_states: States = dict
        self._step_score = ScoreHistogram(
            "surefoot_step_score", "Scores of steps; P(right) where a model gives probabilities.", _BY_MODEL, registry
        )
        self._solution_score = ScoreHistogram(
            "surefoot_solution_score", "Scores of solutions, in the model's own aggregation.", _BY_MODEL, registry
        )
        self._solution_steps = ScoreHistogram("surefoot_solution_steps", "Steps of a solution.", _BY_MODEL, registry)
        self._first_error = ScoreHistogram(
            "surefoot_first_error_position",
            "Place of the first error as a share of the steps, of solutions that have one.",
            _BY_MODEL,
            registry,
        )
        self._variance = ScoreHistogram(
            "surefoot_group_score_variance",
            "Variance of the solution scores of one problem in one request.",
            _BY_MODEL,
            registry,
        )
        self._length_correlation = ScoreHistogram(
            "surefoot_group_score_length_correlation",
            "Rank correlation of the scores of one problem's solutions with their lengths.",
            _BY_MODEL,
            registry,
        )
        self._agreement = ScoreHistogram(
            "surefoot_process_outcome_rank_correlation",
            "Rank correlation of both models' scores of one problem's solutions.",
            _BY_BOTH,
            registry,
        )
        self._start_counters(registry)
        self._windows: defaultdict[str, DriftWindow] = defaultdict(lambda: DriftWindow(drift_reference, drift_recent))
        registry.register(_DriftCollector(self._windows))

    def _start_counters(self, registry: CollectorRegistry) -> None:
        self._probabilities = Counter(
            "surefoot_probabilities",
            "Probabilities given: of steps by process models, of solutions by outcome models.",
            _BY_MODEL,
            registry=registry,
        )
        self._saturated = Counter(
            "surefoot_saturated_probabilities", "Those below 0.01 or above 0.99.", _BY_MODEL, registry=registry
        )
        self._compared = Counter(
            "surefoot_compared_groups", "Problems whose solutions both models scored.", _BY_BOTH, registry=registry
        )
        self._disagreeing = Counter(
            "surefoot_disagreeing_groups",
            "Those without a solution that is the best of both.",
            _BY_BOTH,
            registry=registry,
        )

    def _start_counting_quality(self, models: Iterable[str]) -> None:
        """Show the counters of these at 0."""
        for model in models:
            for counter in (self._probabilities, self._saturated):
                counter.labels(model)

    def solutions_scored(self, by: ScoredBy, groups: Sequence[Sequence[SolutionScore]]) -> None:
        """What a model said of solutions, those of one problem in one group."""
        solutions = [solution for group in groups for solution in group]
        if not solutions or self._model_states().get(by.model) == "loading":
            return
        label, scale = (by.model,), solution_scale(by)
        scores = np.array([own_score(by, solution) for solution in solutions])
        self._solution_score.observe(label, scores, SCORE_BOUNDS[scale])
        self._windows[by.model].add(scores)
        if by.kind == "process":
            scores = np.array([step.score for solution in solutions for step in solution.steps])
            self._step_score.observe(label, scores, SCORE_BOUNDS[by.scale])
            self._solution_steps.observe(label, [len(solution.steps) for solution in solutions], STEP_BOUNDS)
            self._first_error.observe(label, _error_positions(solutions), POSITION_BOUNDS)
        if by.scale == "probability":
            self._probabilities.labels(by.model).inc(len(scores))
            self._saturated.labels(by.model).inc(num_saturated(scores))
        for group in groups:
            self.group_compared(by, group)

    def group_compared(self, by: ScoredBy, group: Sequence[SolutionScore]) -> None:
        """Solutions of one problem; one alone says nothing of how they differ."""
        if len(group) < 2 or self._model_states().get(by.model) == "loading":
            return
        scores = [own_score(by, solution) for solution in group]
        # The population's: at most 1/4 for probabilities, whatever the size of the group.
        self._variance.observe((by.model,), [float(np.var(scores))], VARIANCE_BOUNDS[solution_scale(by)])
        rho = rank_correlation(scores, [len(solution.text) for solution in group])
        if rho is not None:
            self._length_correlation.observe((by.model,), [rho], CORRELATION_BOUNDS)

    def models_compared(
        self, process: str, outcome: str, scores: Sequence[tuple[SolutionScore, SolutionScore]]
    ) -> None:
        """Solutions of one problem that a process and an outcome model scored, as they were ranked."""
        if len(scores) < 2:
            return
        pairs = [(by_process.score, by_outcome.score) for by_process, by_outcome in scores]
        by_process, by_outcome = ([pair[side] for pair in pairs] for side in (0, 1))
        self._compared.labels(process, outcome).inc()
        self._disagreeing.labels(process, outcome).inc(have_different_bests(by_process, by_outcome))
        rho = rank_correlation(by_process, by_outcome)
        if rho is not None:
            self._agreement.observe((process, outcome), [rho], CORRELATION_BOUNDS)


class _DriftCollector(Collector):
    """Computes the drift when it is asked for, of models with both windows full."""

    def __init__(self, windows: Mapping[str, DriftWindow]) -> None:
        self._windows = windows

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "surefoot_score_drift_psi",
            "Population stability index of the last solution scores against the first since the start.",
            labels=_BY_MODEL,
        )
        for model, window in self._windows.items():
            psi = window.psi()
            if psi is not None:
                family.add_metric([model], psi)
        yield family


def _error_positions(solutions: Sequence[SolutionScore]) -> list[float]:
    return [
        relative_position(solution.first_error, len(solution.steps))
        for solution in solutions
        if solution.first_error is not None
    ]

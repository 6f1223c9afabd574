"""How far a candidate's scores are from the served ones."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram

_DIFFERENCES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class ShadowMetrics:
    """Measures of shadows; `model` is the name that the candidate stands beside."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._shadow_groups = Counter(
            "surefoot_shadow_groups",
            "Served groups that a candidate should score too: compared, dropped to keep answers quick, or failed.",
            ["model", "outcome"],
            registry=registry,
        )
        self._shadow_difference = Histogram(
            "surefoot_shadow_score_difference",
            "Absolute difference of the candidate's scores from the served ones, of steps or else of solutions.",
            ["model"],
            buckets=_DIFFERENCES,
            registry=registry,
        )
        self._shadow_alike = Counter(
            "surefoot_shadow_alike_scores",
            "Those scores by which the candidate and the served model judge alike, each by its own threshold.",
            ["model"],
            registry=registry,
        )
        self._shadow_ranked = Counter(
            "surefoot_shadow_ranked_groups",
            "Problems with several solutions that a candidate scored too.",
            ["model"],
            registry=registry,
        )
        self._shadow_other_best = Counter(
            "surefoot_shadow_other_best_groups",
            "Those without a solution that is the best of both.",
            ["model"],
            registry=registry,
        )

    def shadow_group(self, model: str, outcome: str) -> None:
        self._shadow_groups.labels(model, outcome).inc()

    def shadow_compared(
        self, model: str, differences: Sequence[float], alike: Sequence[bool], other_best: Sequence[bool]
    ) -> None:
        series = self._shadow_difference.labels(model)
        for difference in differences:
            series.observe(difference)
        self._shadow_alike.labels(model).inc(sum(alike))
        self._shadow_ranked.labels(model).inc(len(other_best))
        self._shadow_other_best.labels(model).inc(sum(other_best))

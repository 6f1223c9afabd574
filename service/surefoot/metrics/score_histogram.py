"""Histograms whose buckets depend on the scale of a model, and that count a whole group at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from surefoot.domain import Scale

Bounds = tuple[float, ...]

SCORE_BOUNDS: Mapping[Scale, Bounds] = {
    "probability": (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0),
    "signed": (-0.99, -0.9, -0.75, -0.5, -0.25, -0.1, 0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0),
    "unbounded": (-50.0, -20.0, -10.0, -5.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0),
}
"""Upper bounds of the buckets; the ends are finer where scores saturate."""

VARIANCE_BOUNDS: Mapping[Scale, Bounds] = {
    "probability": (0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25),
    "signed": (0.0001, 0.001, 0.0025, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
    "unbounded": (0.001, 0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 100.0, 1000.0),
}
"""Upper bounds for variances of such scores, which are at most 1/4 on [0, 1] and 1 on [-1, 1] (Popoviciu)."""

CORRELATION_BOUNDS: Bounds = (-0.9, -0.7, -0.5, -0.3, -0.1, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
POSITION_BOUNDS: Bounds = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
STEP_BOUNDS: Bounds = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 64.0, 128.0, 256.0)


@dataclass(slots=True)
class _Series:
    bounds: Bounds
    counts: npt.NDArray[np.int64]
    total: float = 0.0


class ScoreHistogram(Collector):
    """A histogram with labels; the first observation of a series fixes its bounds.

    As in every client of Prometheus a series with negative bounds has neither `_sum` nor `_count`: a sum that falls
    would be taken for a restart. Its number of observations is the bucket `+Inf`.
    """

    def __init__(
        self, name: str, documentation: str, label_names: Sequence[str], registry: CollectorRegistry | None = None
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._label_names = tuple(label_names)
        self._series: dict[tuple[str, ...], _Series] = {}
        if registry is not None:
            registry.register(self)

    def observe(
        self, labels: tuple[str, ...], values: Sequence[float] | npt.NDArray[np.float64], bounds: Bounds
    ) -> None:
        """Count every value in the first bucket whose bound is not below it."""
        if not len(values):
            return
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = _Series(bounds, np.zeros(len(bounds) + 1, np.int64))
        places = np.searchsorted(series.bounds, values, side="left")
        series.counts += np.bincount(places, minlength=len(series.counts))
        series.total += float(np.sum(values))

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """All series, their buckets cumulative."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._label_names)
        for labels, series in self._series.items():
            bounds = [*map(str, series.bounds), "+Inf"]
            cumulative = np.cumsum(series.counts).tolist()
            family.add_metric(labels, list(zip(bounds, cumulative, strict=True)), series.total)
        yield family

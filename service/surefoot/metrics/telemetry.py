"""The Telemetry of production: one registry, what is counted, and what is looked up when it is scraped."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from surefoot.metrics.memory import MemoryCollector
from surefoot.metrics.reward_quality import RewardQualityMetrics
from surefoot.metrics.serving import ServingMetrics
from surefoot.metrics.shadowing import ShadowMetrics
from surefoot.metrics.states import GENERATOR_STATES, MODEL_STATES, StateCollector, States

DRIFT_WINDOW = 1000
"""Solutions in the reference and in the recent window: fewer are noisy, more are late."""


class PrometheusTelemetry(ServingMetrics, RewardQualityMetrics, ShadowMetrics):
    """Counts and times what the service does; `render` gives the text that Prometheus scrapes.

    One process a replica, one registry of its own. All methods belong to the event loop's thread, except
    `group_prepared`.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, *, drift_window: int = DRIFT_WINDOW) -> None:
        self._registry = CollectorRegistry()
        ServingMetrics.__init__(self, self._registry)
        RewardQualityMetrics.__init__(self, self._registry, drift_window=drift_window)
        ShadowMetrics.__init__(self, self._registry)
        self._registry.register(MemoryCollector())

    def watch(self, models: States, generators: States) -> None:
        """Tell where each configured model and generator stands, as these say at every scrape.

        Counters of theirs start at 0 now: of one that appeared with its first count nobody would see the increase.
        What a model scores while it is loading are the probes of its self-check, no rewards that anyone asked for.
        """
        self._registry.register(StateCollector("model", MODEL_STATES, models))
        self._registry.register(StateCollector("generator", GENERATOR_STATES, generators))
        self._start_counting(models(), generators())
        self._start_counting_quality(models())
        self._model_states = models

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self._registry)

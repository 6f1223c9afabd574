"""The Telemetry of production: one registry, what is counted, and what is looked up when it is scraped."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from surefoot.metrics.engines import EngineCollector, Engines
from surefoot.metrics.memory import MemoryCollector
from surefoot.metrics.reward_quality import RewardQualityMetrics
from surefoot.metrics.serving import ServingMetrics
from surefoot.metrics.shadowing import ShadowMetrics
from surefoot.metrics.states import GENERATOR_STATES, MODEL_STATES, StateCollector, States


class PrometheusTelemetry(ServingMetrics, RewardQualityMetrics, ShadowMetrics):
    """Counts and times what the service does; `render` gives the text that Prometheus scrapes.

    One process a replica, one registry of its own. All methods belong to the event loop's thread, except
    `group_prepared`.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, drift_reference: int = 1000, drift_recent: int = 1000) -> None:
        """Drift is that of the last `drift_recent` solutions from the first `drift_reference`."""
        self._registry = CollectorRegistry()
        ServingMetrics.__init__(self, self._registry)
        RewardQualityMetrics.__init__(self, self._registry, drift_reference, drift_recent)
        ShadowMetrics.__init__(self, self._registry)
        self._registry.register(MemoryCollector())
        started = Gauge(
            "surefoot_start_time_seconds", "Unix time at which this process was set up.", registry=self._registry
        )
        started.set_to_current_time()

    def watch(self, models: States, generators: States, engines: Engines = dict) -> None:
        """Tell where each configured model and generator stands and how engines do, as these say at every scrape.

        Counters of theirs start at 0 now: of one that appeared with its first count nobody would see the increase.
        What a model scores while it is loading are the probes of its self-check, no rewards that anyone asked for.
        """
        self._registry.register(StateCollector("model", MODEL_STATES, models))
        self._registry.register(StateCollector("generator", GENERATOR_STATES, generators))
        self._registry.register(EngineCollector(engines))
        self._start_counting(models(), generators())
        self._start_counting_quality(models())
        self._model_states = models

    def close(self) -> None:
        """Nothing is held here; blocking where something is."""

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self._registry)

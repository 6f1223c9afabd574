"""What has gone wrong with engines, and how full their caches are, looked up when it is scraped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from surefoot.domain import CacheName, CacheUse, FaultKind


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """An engine's faults since it was loaded, and its caches."""

    faults: Mapping[FaultKind, int]
    caches: Mapping[CacheName, CacheUse]


Engines = Callable[[], Mapping[str, EngineHealth]]
"""Gives how each loaded engine does, by its name."""


class EngineCollector(Collector):
    """Counts the faults of each engine from 0 on, so that the first one is seen; caches that are off have no series."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """What holds at the moment of the scrape."""
        engines = self._engines()
        faults = CounterMetricFamily("surefoot_engine_faults", "Faults of an engine.", labels=["backend", "fault"])
        for backend, health in engines.items():
            for fault, count in health.faults.items():
                faults.add_metric([backend, fault], count)
        yield faults
        caches = [(backend, cache, use) for backend, health in engines.items() for cache, use in health.caches.items()]
        for name, documentation, read in _CACHE_GAUGES:
            gauge = GaugeMetricFamily(name, documentation, labels=["backend", "cache"])
            for backend, cache, use in caches:
                value = read(use)
                if value is not None:
                    gauge.add_metric([backend, cache], value)
            yield gauge


_CACHE_GAUGES: tuple[tuple[str, str, Callable[[CacheUse], int | None]], ...] = (
    ("surefoot_cache_entries", "Inputs in the score cache, tokens in the prefix cache.", lambda use: use.entries),
    ("surefoot_cache_max_entries", "Inputs, or tokens, that the cache can hold.", lambda use: use.max_entries),
    ("surefoot_cache_bytes", "Bytes of keys, values and hidden states of known tokens.", lambda use: use.num_bytes),
    ("surefoot_cache_max_bytes", "Bytes that these may take.", lambda use: use.max_bytes),
)

"""Where models and generators stand, one series for each state, of which one is 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

States = Callable[[], Mapping[str, str]]
"""Gives the state of each configured model, or generator, by its name."""

MODEL_STATES = ("loading", "ready", "failed")
GENERATOR_STATES = ("idle", "starting", "ready", "failed")


class StateCollector(Collector):
    """`surefoot_<what>_state{<what>, state}`: 1 for the state that it is in, 0 for the others."""

    def __init__(self, what: str, known: tuple[str, ...], states: States) -> None:
        self._what = what
        self._known = known
        self._states = states

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What holds at the moment of the scrape."""
        family = GaugeMetricFamily(
            f"surefoot_{self._what}_state",
            f"1 for the state that the {self._what} is in.",
            labels=[self._what, "state"],
        )
        for name, current in self._states().items():
            for state in self._known:
                family.add_metric([name, state], float(state == current))
        yield family

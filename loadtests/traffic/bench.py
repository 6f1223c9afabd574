"""What scenarios share: the server, how much it can do, and what it was like at 80% of that."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtests.servers.surefoot_server import SurefootServer
from loadtests.traffic.arrivals import Arrival, Phase, at_random
from loadtests.traffic.generator import saturate, send
from loadtests.traffic.outcomes import Outcome, counted, latencies, quantile, rate_of
from loadtests.traffic.requests import Bodies

SATURATING_CALLERS = 16
WARM_UP = 0.2
"""Share of a run that its rates leave out."""

STEADY = 0.8
"""Of the capacity: the load that others are compared with."""


@dataclass(frozen=True, slots=True)
class Check:
    """A threshold: what was measured, what was wanted, and whether that is so."""

    name: str
    measured: str
    wanted: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class Result:
    """A scenario that was run."""

    name: str
    title: str
    outcomes: Sequence[Outcome]
    checks: Sequence[Check]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Bench:
    """`capacity` is answered interactive requests a second of callers that ask without end, `bulk_capacity` that of
    bulk ones, and `p99_s` the latency that 99% of the interactive ones keep at `STEADY`: all of this run. `seconds` is
    what a phase lasts."""

    server: SurefootServer
    seconds: float
    seed: int = 1
    capacity: float = math.nan
    bulk_capacity: float = math.nan
    p99_s: float = math.nan
    bodies: Bodies = field(init=False)
    _sent: int = 0

    def __post_init__(self) -> None:
        self.bodies = Bodies(self.seed)

    @property
    def url(self) -> str:
        return self.server.url

    def measure_capacity(self, kind: str) -> float:
        """Answered requests a second, when there is always one more waiting."""
        seconds = self.seconds / 2
        first = self._numbers(1_000_000)
        outcomes = asyncio.run(saturate(self.url, kind, SATURATING_CALLERS, seconds, self.bodies, first))
        rate = rate_of(outcomes, kind, WARM_UP * seconds, seconds)
        if not rate:
            raise RuntimeError(f"no {kind} request was answered in {seconds:g} s: raise --seconds")
        return rate

    def arrivals(self, kind: str, *phases: Phase) -> list[Arrival]:
        """As callers come who know nothing of each other."""
        return at_random(phases, kind, self.seed + self._sent)

    def send(self, schedule: Sequence[Arrival]) -> list[Outcome]:
        """All of it, and what became of it."""
        return asyncio.run(send(self.url, schedule, self.bodies, self._numbers(len(schedule))))

    async def send_beside(self, schedule: Sequence[Arrival]) -> list[Outcome]:
        """The same, beside something else."""
        return await send(self.url, schedule, self.bodies, self._numbers(len(schedule)))

    def _numbers(self, count: int) -> int:
        """The first of so many numbers that no request has had."""
        first, self._sent = self._sent, self._sent + count
        return first


def sound(outcomes: Sequence[Outcome]) -> list[Check]:
    """Nothing may be lost or doubled, whatever the load; and the figures are of the server, not of the generator."""
    counts = counted(outcomes)
    lag_s = quantile((outcome.lag_s for outcome in outcomes), 0.99)
    said = sorted({outcome.said for outcome in outcomes if outcome.fate == "lost"})
    lost = f"{counts.lost} ({'; '.join(said[:3])})" if said else str(counts.lost)
    return [
        Check("lost", lost, "0", counts.lost == 0),
        Check("doubled", str(counts.doubled), "0", counts.doubled == 0),
        Check("p99 of the generator's own lateness", _ms(lag_s), "under 100 ms", lag_s < 0.1),
    ]


def share_of(name: str, measured: float, whole: float, least: float) -> Check:
    """At least so much of something."""
    return Check(name, f"{measured / whole:.0%}", f"at least {least:.0%}", measured >= least * whole)


def times(name: str, measured_s: float, reference_s: float, most: float) -> Check:
    """At most so many times as long as something."""
    said = f"{measured_s / reference_s:.2f} times ({_ms(measured_s)})"
    return Check(name, said, f"at most {most:g} times ({_ms(reference_s)})", measured_s <= most * reference_s)


def refusals_are_quick(outcomes: Sequence[Outcome], kind: str, most_s: float) -> Check:
    """The answer that there is no room must not take long itself; that each has `Retry-After` is part of `sound`."""
    refused = latencies(outcomes, kind, "refused")
    p95_s = quantile(refused, 0.95)
    return Check(
        f"p95 of {len(refused)} refusals", _ms(p95_s), f"under {_ms(most_s)}", bool(refused) and p95_s < most_s
    )


def p99_of(outcomes: Sequence[Outcome], kind: str = "interactive", since_s: float = 0.0) -> float:
    """Seconds, of what was answered with scores and due from `since_s` on."""
    return quantile(latencies([each for each in outcomes if each.intended_s >= since_s], kind, "answered"), 0.99)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms"

"""When requests are to be sent. Pure: a schedule is made before the run, and no answer moves it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Arrival:
    """`at_s`: seconds after the start of the run at which a request of that kind is to be sent."""

    at_s: float
    kind: str


@dataclass(frozen=True, slots=True)
class Phase:
    """So many seconds of so many requests a second."""

    rate: float
    seconds: float


def evenly(phases: Sequence[Phase], kind: str) -> list[Arrival]:
    """Requests at equal distances, phase after phase."""
    begins = [0.0, *accumulate(phase.seconds for phase in phases)]
    return [
        Arrival(begin + number / phase.rate, kind)
        for begin, phase in zip(begins, phases, strict=False)
        for number in range(round(phase.rate * phase.seconds))
    ]


def at_random(phases: Sequence[Phase], kind: str, seed: int) -> list[Arrival]:
    """A Poisson process in each phase: as callers come who know nothing of each other."""
    rng = random.Random(seed)  # noqa: S311  no secret
    found: list[Arrival] = []
    begin = 0.0
    for phase in phases:
        at_s = rng.expovariate(phase.rate)
        while at_s < phase.seconds:
            found.append(Arrival(begin + at_s, kind))
            at_s += rng.expovariate(phase.rate)
        begin += phase.seconds
    return found


def merged(*schedules: Sequence[Arrival]) -> list[Arrival]:
    """Several schedules as one, in order of time."""
    return sorted((arrival for schedule in schedules for arrival in schedule), key=lambda arrival: arrival.at_s)

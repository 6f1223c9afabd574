"""What became of each request, and the figures that are made of that. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

Fate = Literal["answered", "failed", "refused", "unreached", "lost"]
"""answered: the scores of all items; failed: an error that the API promises, for the request or one of its items;
refused: 429 or 503 with `Retry-After`; unreached: the server never had it; lost: taken, not answered as promised."""

REFUSALS = frozenset({429, 503})
PROMISED_ERRORS = frozenset({400, 401, 403, 404, 408, 409, 413, 415, 422, 504})


@dataclass(frozen=True, slots=True)
class Outcome:
    """Times are seconds after the start of the run; `intended_s` is when the request was to be sent, whether or not
    the generator came to it then."""

    kind: str
    intended_s: float
    started_s: float
    ended_s: float
    fate: Fate
    status: int = 0
    num_doubled: int = 0
    """Answers beyond one for each item."""

    said: str = ""
    """Of one that was lost: what happened."""

    number: int = -1

    @property
    def latency_s(self) -> float:
        """From the intended start. Counted from the real one, a generator that is held up by a slow server would leave
        out the very waits that its users had (coordinated omission)."""
        return self.ended_s - self.intended_s

    @property
    def lag_s(self) -> float:
        """How late the generator itself was."""
        return self.started_s - self.intended_s


@dataclass(frozen=True, slots=True)
class Counts:
    """`accepted` is what was sent and not refused; of that `answered` got scores or a promised error (`failed` of them
    the error). `lost` and `doubled` must be 0."""

    sent: int
    accepted: int
    answered: int
    failed: int
    refused: int
    lost: int
    doubled: int

    @property
    def is_sound(self) -> bool:
        return self.lost == 0 and self.doubled == 0

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in asdict(self).items())


def without_unseen(outcomes: Iterable[Outcome], seen: Collection[int]) -> list[Outcome]:
    """Those whose connection broke without an answer are lost where the server had seen them. Where it never did,
    it had closed before they came."""
    return [
        replace(each, fate="unreached") if each.fate == "lost" and not each.status and each.number not in seen else each
        for each in outcomes
    ]


def counted(outcomes: Iterable[Outcome]) -> Counts:
    """What became of all of them."""
    found = list(outcomes)
    fates = Counter(outcome.fate for outcome in found)
    refused = fates["refused"] + fates["unreached"]
    return Counts(
        sent=len(found),
        accepted=len(found) - refused,
        answered=fates["answered"] + fates["failed"],
        failed=fates["failed"],
        refused=refused,
        lost=fates["lost"],
        doubled=sum(outcome.num_doubled for outcome in found),
    )


def counted_units(num_sent: int, settled: Sequence[int], *, failed: int = 0, refused: int = 0) -> Counts:
    """Of work in numbered units, 0 to `num_sent` - 1: `settled` are the numbers that came back, in any order. What was
    refused is told in answers of its own, and is not among them."""
    times = Counter(settled)
    known = [number for number in times if 0 <= number < num_sent]
    accepted = num_sent - refused
    return Counts(
        sent=num_sent,
        accepted=accepted,
        answered=len(known),
        failed=failed,
        refused=refused,
        lost=accepted - len(known),
        doubled=len(settled) - len(known),
    )


def fate_of(status: int, has_retry_after: bool, num_items: int, results: Sequence[dict[str, object]]) -> Fate:
    """What an answer means. `results` are those of a 200, else empty."""
    if status in REFUSALS:
        # Without the header a caller does not know when to come back: that is no refusal as promised.
        return "refused" if has_retry_after else "lost"
    if status in PROMISED_ERRORS:
        return "failed"
    if status != 200 or len({str(result.get("id")) for result in results}) < num_items:
        return "lost"
    return "failed" if any("error" in result for result in results) else "answered"


def quantile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least that share of them does not exceed (nearest rank); NaN of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def latencies(outcomes: Iterable[Outcome], kind: str, *fates: Fate) -> list[float]:
    """Seconds from the intended starts, of requests of that kind that ended so."""
    return [each.latency_s for each in outcomes if each.kind == kind and each.fate in fates]


def rate_of(outcomes: Sequence[Outcome], kind: str, begin_s: float, end_s: float) -> float:
    """Answered requests of a kind a second, by when they ended."""
    ended = sum(each.fate == "answered" and each.kind == kind and begin_s <= each.ended_s < end_s for each in outcomes)
    return ended / (end_s - begin_s)

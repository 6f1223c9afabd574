"""The overload once more, sent by k6, whose thresholds are its own."""

from __future__ import annotations

from loadtests.traffic.bench import Bench, Check, Result
from loadtests.traffic.k6 import run_k6
from loadtests.traffic.scenarios import GOODPUT, OVERLOAD, P99_TIMES, REFUSAL_S


def overload_by_k6(bench: Bench) -> Result:
    """Three times the capacity at even distances. k6's exit status says whether its thresholds hold."""
    seconds = bench.seconds / 2
    # Of what the first and the last pass answer little may come within the time.
    least = int(GOODPUT * bench.capacity * seconds)
    most_ms = 1000 * P99_TIMES * bench.p99_s
    found = run_k6(
        bench.url,
        bench.bodies,
        OVERLOAD * bench.capacity,
        seconds,
        accepted_p99_ms=most_ms,
        least_answered=least,
        refused_p95_ms=1000 * REFUSAL_S,
    )
    checks = [
        Check("neither scores nor a refusal with Retry-After", str(found.broken), "0", found.broken == 0),
        Check("requests that k6 could not start in time", str(found.dropped), "0", found.dropped == 0),
        Check("answered", str(found.answered), f"at least {least}", found.answered >= least),
        Check(
            "p99 of the accepted",
            f"{found.accepted_p99_ms:,.0f} ms",
            f"at most {most_ms:,.0f} ms",
            found.accepted_p99_ms <= most_ms,
        ),
        Check(
            f"p95 of {found.refused} refusals",
            f"{found.refused_p95_ms:,.0f} ms",
            f"under {1000 * REFUSAL_S:.0f} ms",
            found.refused_p95_ms < 1000 * REFUSAL_S,
        ),
        Check("k6's own thresholds", "met" if found.is_met else "crossed", "met", found.is_met),
    ]
    return Result("k6", "three times the capacity, by k6", [], checks)

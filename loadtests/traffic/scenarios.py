"""The scenarios: what is sent, and what must be so. Thresholds are ratios to what the same run has measured before."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

from loadtests.traffic.arrivals import Phase, merged
from loadtests.traffic.bench import (
    STEADY,
    WARM_UP,
    Bench,
    Check,
    Result,
    p99_of,
    refusals_are_quick,
    share_of,
    sound,
    times,
)
from loadtests.traffic.outcomes import Outcome, rate_of, without_unseen
from loadtests.traffic.requests import numbers_in
from loadtests.traffic.slow_clients import slow_request

OVERLOAD = 3.0
GOODPUT, P99_TIMES, REFUSAL_S = 0.9, 2.0, 0.05
"""Share of the capacity that stays at `OVERLOAD`, times the p99 at `STEADY` that accepted interactive requests may
take, and seconds within which 95% of the refusals must come."""

SLOW_EACH = 20
SLOW_S = 8.0


def steady(bench: Bench) -> Result:
    """80% of the capacity: nothing but the rare burst is refused, and what others are compared with is measured."""
    outcomes = bench.send(bench.arrivals("interactive", Phase(STEADY * bench.capacity, bench.seconds)))
    bench.p99_s = p99_of(outcomes)
    answered = sum(outcome.fate == "answered" for outcome in outcomes)
    checks = [*sound(outcomes), share_of("answered with scores", answered, len(outcomes), 0.97)]
    return Result("steady", "80% of the capacity", outcomes, checks)


def spike(bench: Bench) -> Result:
    """Three times the capacity for a tenth of the time, then half of it: how soon it is as if nothing had been."""
    calm = Phase(0.5 * bench.capacity, 0.45 * bench.seconds)
    burst = Phase(OVERLOAD * bench.capacity, bench.seconds / 10)
    outcomes = bench.send(bench.arrivals("interactive", calm, burst, calm))
    recovered_s = calm.seconds + burst.seconds + P99_TIMES * bench.p99_s
    checks = [
        *sound(outcomes),
        times("p99 of the accepted", p99_of(outcomes), bench.p99_s, P99_TIMES),
        times("p99 from twice that after the burst on", p99_of(outcomes, since_s=recovered_s), bench.p99_s, 1.0),
    ]
    return Result("spike", "three times the capacity for a tenth of the time", outcomes, checks)


def overload(bench: Bench) -> Result:
    """Three times the capacity, all the time."""
    rate = OVERLOAD * bench.capacity
    outcomes = bench.send(bench.arrivals("interactive", Phase(rate, bench.seconds)))
    goodput = rate_of(outcomes, "interactive", WARM_UP * bench.seconds, bench.seconds)
    checks = [
        *sound(outcomes),
        share_of("goodput, of the capacity", goodput, bench.capacity, GOODPUT),
        times("p99 of the accepted", p99_of(outcomes), bench.p99_s, P99_TIMES),
        refusals_are_quick(outcomes, "interactive", REFUSAL_S),
    ]
    return Result("overload", "three times the capacity", outcomes, checks)


def mixed(bench: Bench) -> Result:
    """Interactive requests at 30% of what can be done, beside bulk ones that bring 2.7 times the capacity."""
    wanted = bench.arrivals("interactive", Phase(0.3 * bench.capacity, bench.seconds))
    backlog = bench.arrivals("bulk", Phase((OVERLOAD - 0.3) * bench.bulk_capacity, bench.seconds))
    outcomes = bench.send(merged(wanted, backlog))
    goodput = {
        kind: rate_of(outcomes, kind, WARM_UP * bench.seconds, bench.seconds) for kind in ("interactive", "bulk")
    }
    worth = goodput["interactive"] / bench.capacity + goodput["bulk"] / bench.bulk_capacity
    answered = [each.fate == "answered" for each in outcomes if each.kind == "interactive"]
    checks = [
        *sound(outcomes),
        share_of("interactive answered with scores", sum(answered), len(answered), 0.97),
        times("p99 of interactive", p99_of(outcomes), bench.p99_s, P99_TIMES),
        share_of("goodput of both, of the capacity", worth, 1.0, GOODPUT),
    ]
    return Result("mixed", "interactive at 30% beside bulk at 2.7 times the capacity", outcomes, checks)


def slow(bench: Bench) -> Result:
    """Half the capacity, beside clients whose bodies or whose reading take seconds."""
    outcomes, slowly = asyncio.run(_beside_slow_clients(bench))
    checks = [
        *sound([*outcomes, *slowly]),
        times("p99 of the others", p99_of(outcomes), bench.p99_s, P99_TIMES),
        share_of("slow clients answered", sum(each.fate == "answered" for each in slowly), len(slowly), 0.95),
    ]
    return Result("slow", f"half the capacity beside {len(slowly)} slow clients", outcomes, checks)


async def _beside_slow_clients(bench: Bench) -> tuple[list[Outcome], list[Outcome]]:
    schedule = bench.arrivals("interactive", Phase(0.5 * bench.capacity, bench.seconds))
    normal = asyncio.create_task(bench.send_beside(schedule))
    lasts_s = min(SLOW_S, bench.seconds / 2)
    ways = ({"body_s": lasts_s}, {"answer_s": lasts_s})
    # One after the other, or all would be done at once, and more than the queue takes.
    apart_s = (bench.seconds - lasts_s) / (2 * SLOW_EACH)

    async def slow_one(number: int) -> Outcome:
        await asyncio.sleep(number * apart_s)
        return await slow_request(bench.url, "interactive", 10**9 + number, bench.bodies, **ways[number % 2])

    slowly = map(slow_one, range(2 * SLOW_EACH))
    settled = await asyncio.gather(*slowly)
    return await normal, list(settled)


def drain(bench: Bench) -> Result:
    """SIGTERM in the middle of 80% load: what was accepted is answered, what comes later is told to go elsewhere."""
    schedule = bench.arrivals("interactive", Phase(STEADY * bench.capacity, bench.seconds / 2))
    signalled = threading.Timer(bench.seconds / 4, bench.server.process.send_signal, (signal.SIGTERM,))
    signalled.start()
    outcomes = bench.send(schedule)
    signalled.join()
    status = bench.server.process.wait(60)
    outcomes = without_unseen(outcomes, numbers_in(bench.server.log.read_text(errors="replace")))
    answered = sum(outcome.fate == "answered" for outcome in outcomes)
    checks = [
        *sound(outcomes),
        Check("answered before and while it ended", str(answered), "more than 0", answered > 0),
        Check("exit status", str(status), "0", status == 0),
    ]
    return Result("drain", "SIGTERM at 80% of the capacity", outcomes, checks)


SCENARIOS: Mapping[str, Callable[[Bench], Result]] = MappingProxyType(
    {"steady": steady, "spike": spike, "overload": overload, "mixed": mixed, "slow": slow, "drain": drain}
)
"""In the order of a run: the first measures what the others are compared with, the last ends the server."""

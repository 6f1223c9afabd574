"""Under floods that never end every accepted input gets its pass, after a wait that what was before it explains."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import Forwarded, ForwardItem, ForwardResult, Priority, RenderedInput
from surefoot.errors import QueueFull
from surefoot.ports import SilentTelemetry
from surefoot.scheduling.scheduler import Scheduler, SchedulerLimits

# One input fills a pass, and a pass takes a second: waits are counted in passes.
LENGTH = 4
LIMITS = SchedulerLimits(max_batch_tokens=LENGTH, max_queue_tokens=12 * LENGTH, max_queue_items=12, bulk_max_wait_s=3.0)
CALLERS = ["a", "b", "c"]
NUM_LINES = 2 * len(CALLERS)
NUM_PASSES = 60


@dataclass(frozen=True)
class Arrival:
    caller: str
    priority: Priority
    count: int


@dataclass(eq=False)
class Accepted:
    """An accepted input, the pass that ran as it came, and what was there before it."""

    line: tuple[str, Priority]
    future: asyncio.Future[ForwardResult]
    came: int
    waiting: int
    own: int
    began: int | None = None


@dataclass(frozen=True)
class Second:
    """What arrives while a pass runs, whether an input is withdrawn meanwhile, and whether the pass fails."""

    arrivals: list[Arrival]
    withdraws: bool
    fails: bool


SECONDS = st.builds(
    Second,
    st.lists(
        st.builds(Arrival, st.sampled_from(CALLERS), st.sampled_from(["interactive", "bulk"]), st.integers(1, 4)),
        max_size=4,
    ),
    withdraws=st.booleans(),
    fails=st.booleans(),
)
PATTERNS = st.lists(SECONDS, min_size=1, max_size=5)


class OneByOne(FakeBackend):
    """Runs one pass whenever it is told."""

    def __init__(self, began: Callable[[int], None]) -> None:
        """`began` is told the first token of each pass, in the thread of the pass."""
        super().__init__(max_input_tokens=LENGTH)
        self.turn = threading.Semaphore(0)
        self._began = began

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        self._began(batch[0].rendered.token_ids[0])
        assert self.turn.acquire(timeout=5)
        return super().forward(batch)


class Flood:
    """A scheduler with a pass always under way, into which a pattern of arrivals is repeated, and then another."""

    def __init__(self, *, all_stay: bool) -> None:
        self.all_stay = all_stay
        self.now = 0
        self.accepted: list[Accepted] = []
        self.begun: asyncio.Queue[int] = asyncio.Queue()
        self.served: list[tuple[set[tuple[str, Priority]], tuple[str, Priority]]] = []
        self.backend = OneByOne(partial(asyncio.get_running_loop().call_soon_threadsafe, self._began))
        self.scheduler = Scheduler(self.backend, LIMITS, SilentTelemetry(), clock=lambda: float(self.now))

    def _began(self, number: int) -> None:
        served = self.accepted[number]
        self.served.append(({each.line for each in self._waiting()}, served.line))
        served.began = self.now
        self.begun.put_nowait(number)

    def _waiting(self) -> list[Accepted]:
        return [each for each in self.accepted if each.began is None and not each.future.done()]

    def arrive(self, arrival: Arrival) -> None:
        line = arrival.caller, arrival.priority
        first = len(self.accepted)
        numbers = range(first, first + arrival.count)
        items = [ForwardItem(RenderedInput((number, 0, 0, 0), (3,)), "score") for number in numbers]
        try:
            futures = self.scheduler.submit_group(
                items, priority=arrival.priority, timeout_s=None, caller=arrival.caller
            )
        except QueueFull:
            return
        waiting = len(self._waiting())
        own = sum(each.line == line for each in self._waiting())
        for place, future in enumerate(futures):
            self.accepted.append(Accepted(line, future, self.now, waiting + place, own + place))

    async def run(self, first: Sequence[Second], then: Sequence[Second]) -> None:
        await self.scheduler.start()
        self.arrive(Arrival("a", "interactive", 1))
        try:
            async with asyncio.timeout(10):
                for number in range(NUM_PASSES):
                    await self.begun.get()
                    # Whose first work comes late must not go before all that others have yet to get.
                    pattern = first if number < NUM_PASSES // 2 else then
                    self._happen(pattern[number % len(pattern)])
                    self.now += 1
                    self.backend.turn.release()
        finally:
            self.backend.turn.release(1_000)
            await self.scheduler.close(5)

    def _happen(self, second: Second) -> None:
        for arrival in second.arrivals:
            self.arrive(arrival)
        if second.withdraws and not self.all_stay and len(self._waiting()) > 1:
            self._waiting()[-1].future.cancel()
        if second.fails:
            self.backend.fail_next()
        if not self._waiting():
            self.arrive(Arrival("a", "interactive", 1))


def longest_wait(each: Accepted) -> float:
    """In passes, by start-time fair queueing: once it counts as urgent, what came before it may go first, and of every
    other line as much as its own line had before it, with the one that was served and the one that began."""
    patience = LIMITS.bulk_max_wait_s if each.line[1] == "bulk" else 0
    return patience + 1 + each.waiting + (NUM_LINES - 1) * (each.own + 2)


def largest_lead(flood: Flood, one: tuple[str, Priority], other: tuple[str, Priority]) -> int:
    """By how many passes one line got ahead of another while both always had work waiting."""
    leads = [0]
    largest = 0
    for waiting, served in flood.served:
        if not {one, other} <= waiting:
            leads = [0]
            continue
        leads.append(leads[-1] + (served == one) - (served == other))
        largest = max(largest, max(leads) - min(leads))
    return largest


@given(first=PATTERNS, then=PATTERNS, all_stay=st.booleans())
@settings(max_examples=80, deadline=None)
def test_no_flood_starves_anyone(first: list[Second], then: list[Second], all_stay: bool) -> None:
    async def flooded() -> Flood:
        flood = Flood(all_stay=all_stay)
        await flood.run(first, then)
        return flood

    flood = asyncio.run(flooded())
    for each in flood.accepted:
        assert each.future.done()
        if each.began is not None and each.came < NUM_PASSES:
            assert each.began - each.came <= longest_wait(each)
    if all_stay:
        for one, other in combinations(CALLERS, 2):
            assert largest_lead(flood, (one, "interactive"), (other, "interactive")) <= 2

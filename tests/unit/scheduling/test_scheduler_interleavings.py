"""Random histories of submit, cancel, fail, expire, hold and close; the promises hold in every one of them."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from forwarded import rows_of
from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import ForwardItem, ForwardResult, RenderedInput
from surefoot.errors import BackendFailed, DeadlineExceeded, GroupTooLarge, NotReady, QueueFull
from surefoot.forest import count_unique_tokens
from surefoot.ports import SilentTelemetry
from surefoot.scheduling.admission import Occupancy
from surefoot.scheduling.scheduler import Scheduler, SchedulerLimits

LIMITS = SchedulerLimits(max_batch_tokens=16, max_batch_items=3, max_queue_tokens=48, max_queue_items=10)
GUILTY_TOKEN = 7


@dataclass
class Accepted:
    """An accepted input, when its deadline comes on the test's clock, and whether its caller gave up."""

    item: ForwardItem
    future: asyncio.Future[ForwardResult]
    deadline: float | None
    cancelled: bool = False


class Interleavings(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = 0.0
        self.accepted: list[Accepted] = []
        self.settled: Counter[int] = Counter()
        self.held = False
        self.closed = False
        self.transient_failures = 0
        self.submissions = 0
        self.backend = FakeBackend(max_input_tokens=16)
        self.backend.fail_items(lambda item: item.rendered.token_ids[0] == GUILTY_TOKEN)
        self.closing: list[asyncio.Task[None]] = []

    @initialize(max_cached_scores=st.sampled_from([0, 0, 2]))
    def start(self, max_cached_scores: int) -> None:
        self.scheduler = self.loop.run_until_complete(self._started(max_cached_scores))

    async def _started(self, max_cached_scores: int) -> Scheduler:
        scheduler = Scheduler(
            self.backend, LIMITS, SilentTelemetry(), clock=lambda: self.now, max_cached_scores=max_cached_scores
        )
        await scheduler.start()
        self.remembers = max_cached_scores > 0
        return scheduler

    async def _submit(self, items: list[ForwardItem], *, timeout_s: float | None, **options: str) -> None:
        before = self.scheduler.snapshot()
        try:
            futures = self.scheduler.submit_group(items, timeout_s=timeout_s, **options)
        except (QueueFull, GroupTooLarge, NotReady):
            assert self.scheduler.snapshot() == before
            return
        added = self.scheduler.snapshot().num_requests - before.num_requests
        # What is remembered does not wait.
        assert 0 <= added <= len(items) if self.remembers else added == len(items)
        deadline = None if timeout_s is None else self.now + timeout_s
        for item, future in zip(items, futures, strict=True):
            number = len(self.accepted)
            self.accepted.append(Accepted(item, future, deadline))
            assert self.remembers or not future.done()
            future.add_done_callback(lambda _, number=number: self.settled.update([number]))

    @rule(
        lengths=st.lists(st.integers(1, 16), max_size=6),
        first_token=st.sampled_from([0, 100, GUILTY_TOKEN]),
        priority=st.sampled_from(["interactive", "bulk"]),
        timeout_s=st.none() | st.sampled_from([20.0, 60.0]),
        caller=st.sampled_from(["a", "b", "c"]),
    )
    def submit(self, lengths: list[int], first_token: int, priority: str, timeout_s: float | None, caller: str) -> None:
        self.submissions += 1
        items = [
            # Only the group's first input is guilty: the others must not share its fate.
            ForwardItem(RenderedInput((first_token if place == 0 else 1, *range(1, length)), (length - 1,)), "score")
            for place, length in enumerate(lengths)
        ]
        self.loop.run_until_complete(self._submit(items, priority=priority, timeout_s=timeout_s, caller=caller))

    @rule(place=st.floats(0, 1, exclude_max=True))
    def cancel(self, place: float) -> None:
        # A place, not a choice from the list: its length depends on a thread, and the draws may not.
        for chosen in self.accepted[int(place * len(self.accepted)) :][:1]:
            chosen.cancelled = chosen.future.cancel() or chosen.cancelled

    @rule(seconds=st.sampled_from([1.0, 6.0, 25.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def fail_one_pass(self) -> None:
        self.backend.fail_next()
        self.transient_failures += 1

    @rule()
    def hold(self) -> None:
        self.backend.hold()
        self.held = True

    @rule()
    def release(self) -> None:
        self.backend.release()
        self.held = False

    @rule()
    def let_the_loop_turn(self) -> None:
        self.loop.run_until_complete(asyncio.sleep(0))

    @precondition(lambda self: not self.held)
    @rule()
    def run_dry(self) -> None:
        self.loop.run_until_complete(self._all_settled())
        assert self.scheduler.snapshot() == Occupancy(0, 0)

    @rule(grace_s=st.sampled_from([0.0, 0.002]))
    def close(self, grace_s: float) -> None:
        self.loop.run_until_complete(self.scheduler.close(grace_s))
        self.closed = True

    # By calls, which no thread has a part in; earlier there would be little to drain.
    @precondition(lambda self: self.submissions > 2)
    @rule(grace_s=st.sampled_from([0.0, 5.0]))
    def begin_to_close(self, grace_s: float) -> None:
        """What follows happens while the line drains, or just as its grace ends."""
        self.closing.append(self.loop.create_task(self.scheduler.close(grace_s)))
        self.loop.run_until_complete(asyncio.sleep(0))
        self.closed = True

    async def _all_settled(self) -> None:
        async with asyncio.timeout(5):
            await asyncio.gather(*(each.future for each in self.accepted), return_exceptions=True)
            await asyncio.gather(*self.closing)

    @invariant()
    def the_queue_stays_within_its_limits(self) -> None:
        waiting = self.scheduler.snapshot()
        assert 0 <= waiting.num_requests <= LIMITS.max_queue_items
        assert 0 <= waiting.num_tokens <= LIMITS.max_queue_tokens

    @invariant()
    def no_batch_exceeds_its_limits(self) -> None:
        for batch in self.backend.batches:
            assert 1 <= len(batch) <= LIMITS.max_batch_items
            assert count_unique_tokens([item.rendered.token_ids for item in batch]) <= LIMITS.max_batch_tokens

    @invariant()
    def only_closing_stops_the_loop(self) -> None:
        assert self.scheduler.is_accepting != self.closed

    def teardown(self) -> None:
        self.backend.release()
        self.loop.run_until_complete(self.scheduler.close(5))
        self.loop.run_until_complete(self._all_settled())
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()
        assert self.scheduler.snapshot() == Occupancy(0, 0)
        assert all(self.settled[number] == 1 for number in range(len(self.accepted)))
        for each in self.accepted:
            self._check_outcome(each)

    def _check_outcome(self, each: Accepted) -> None:
        assert each.future.cancelled() == each.cancelled
        if each.cancelled:
            return
        error = each.future.exception()
        if error is None:
            assert each.item.rendered.token_ids[0] != GUILTY_TOKEN
            assert [each.future.result().rows] == rows_of(FakeBackend().forward([each.item]))
        elif isinstance(error, DeadlineExceeded):
            assert each.deadline is not None
            assert each.deadline <= self.now
        else:
            assert isinstance(error, BackendFailed)
            guilty = each.item.rendered.token_ids[0] == GUILTY_TOKEN
            assert guilty or self.transient_failures > 0 or (self.closed and error.message == "shutting down")


Interleavings.TestCase.settings = settings(
    max_examples=100, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestInterleavings = Interleavings.TestCase

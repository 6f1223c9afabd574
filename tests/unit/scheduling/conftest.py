"""The real line (scheduler and shipped fake backend) with a clock in the test's hand and a telemetry that remembers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import ForwardItem, ForwardResult, Priority, RenderedInput
from surefoot.ports import SilentTelemetry
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.scheduler import Scheduler


class HandClock:
    """A monotonic clock that moves only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class RecordingTelemetry(SilentTelemetry):
    queue: list[tuple[str, int, int]] = field(default_factory=list)
    forwarded: list[tuple[str, int, int, tuple[float, ...], float]] = field(default_factory=list)

    def queue_changed(self, model: str, num_requests: int, num_tokens: int) -> None:
        self.queue.append((model, num_requests, num_tokens))

    def batch_forwarded(
        self, model: str, num_items: int, num_tokens: int, queue_s: Sequence[float], forward_s: float
    ) -> None:
        self.forwarded.append((model, num_items, num_tokens, tuple(queue_s), forward_s))


def make_item(num_tokens: int = 4, *, first_token: int = 0, readouts: int = 2, head: str = "score") -> ForwardItem:
    """An input of `num_tokens` distinct tokens that is read at its last `readouts` positions."""
    tokens = tuple(range(first_token, first_token + num_tokens))
    positions = tuple(range(num_tokens))[-readouts:] if readouts else ()
    return ForwardItem(RenderedInput(tokens, positions), head)


@dataclass
class Line:
    """A scheduler under test and everything around it."""

    backend: FakeBackend
    limits: SchedulerLimits
    telemetry: RecordingTelemetry
    clock: HandClock
    scheduler: Scheduler

    def submit(
        self, *items: ForwardItem, priority: Priority = "interactive", timeout_s: float | None = None
    ) -> list[asyncio.Future[ForwardResult]]:
        return self.scheduler.submit_group(items, priority=priority, timeout_s=timeout_s)

    async def hold_with(self, *items: ForwardItem) -> list[asyncio.Future[ForwardResult]]:
        """Submit `items` and return once the backend holds them in its forward pass."""
        self.backend.hold()
        before = len(self.backend.batches)
        futures = self.submit(*items)
        await self.until(lambda: len(self.backend.batches) > before)
        return futures

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 (a thread makes it true)
                await asyncio.sleep(0.001)


@pytest.fixture
def item() -> Callable[..., ForwardItem]:
    return make_item


@pytest.fixture
async def open_line() -> AsyncIterator[Callable[..., Line]]:
    """Builds lines that are not started yet; takes limits as keywords, and a backend."""
    lines: list[Line] = []

    def build(backend: FakeBackend | None = None, telemetry: RecordingTelemetry | None = None, **limits: float) -> Line:
        backend = backend or FakeBackend(max_input_tokens=64)
        telemetry, clock = telemetry or RecordingTelemetry(), HandClock()
        chosen = SchedulerLimits(**{"max_batch_tokens": 64, **limits})
        line = Line(backend, chosen, telemetry, clock, Scheduler(backend, chosen, telemetry, clock=clock))
        lines.append(line)
        return line

    yield build
    for line in lines:
        line.backend.release()
        await line.scheduler.close(1)


@pytest.fixture
async def line(open_line: Callable[..., Line]) -> Line:
    started = open_line()
    await started.scheduler.start()
    return started

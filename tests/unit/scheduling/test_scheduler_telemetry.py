"""What the scheduler tells of refusals and of what was known from before."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import CacheUse, ForwardItem
from surefoot.errors import GroupTooLarge, QueueFull
from surefoot.ports import SilentTelemetry
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.scheduler import Scheduler


@dataclass
class Heard(SilentTelemetry):
    refused: list[tuple[str, str]] = field(default_factory=list)
    hits: list[tuple[str, str, int, int]] = field(default_factory=list)

    def admission_refused(self, backend: str, reason: str) -> None:
        self.refused.append((backend, reason))

    def cache_hit(self, backend: str, cache: str, num_inputs: int, num_tokens: int) -> None:
        self.hits.append((backend, cache, num_inputs, num_tokens))


class KnowsBeginnings(FakeBackend):
    """Knows three tokens of every input with more than four."""

    def forward(self, batch):
        return [
            replace(result, cached_tokens=3 * (item.rendered.num_tokens > 4))
            for item, result in zip(batch, super().forward(batch), strict=True)
        ]


Opened = tuple[Heard, Scheduler, FakeBackend]


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    heard, backend = Heard(), KnowsBeginnings(max_input_tokens=64)
    limits = SchedulerLimits(max_batch_tokens=64, max_queue_items=3)
    scheduler = Scheduler(backend, limits, heard, max_cached_scores=4)
    await scheduler.start()
    yield heard, scheduler, backend
    backend.release()
    await scheduler.close(1)


async def scored(scheduler: Scheduler, *items: ForwardItem):
    return await asyncio.gather(*scheduler.submit_group(items, priority="interactive", timeout_s=None))


async def test_beginnings_that_the_backend_knew_are_told(opened: Opened, item: Callable[..., ForwardItem]) -> None:
    heard, scheduler, _ = opened
    await scored(scheduler, item(4), item(5), item(6))
    assert heard.hits == [("fake", "prefixes", 2, 6)]


async def test_inputs_that_were_scored_before_are_told(opened: Opened, item: Callable[..., ForwardItem]) -> None:
    heard, scheduler, _ = opened
    await scored(scheduler, item(4))
    await scored(scheduler, item(4), item(3))
    assert heard.hits == [("fake", "scores", 1, 4)]


async def test_how_full_the_score_cache_is_is_told(opened: Opened, item: Callable[..., ForwardItem]) -> None:
    _, scheduler, _ = opened
    before = scheduler.cache_use
    await scored(scheduler, item(4), item(5))
    assert (before, scheduler.cache_use) == (CacheUse(0, 4), CacheUse(2, 4))


async def test_without_a_score_cache_there_is_nothing_to_tell(line) -> None:
    assert line.scheduler.cache_use is None


async def test_every_pass_that_fails_is_a_fault(opened: Opened, item: Callable[..., ForwardItem]) -> None:
    _, scheduler, backend = opened
    backend.fail_items(lambda each: each.rendered.num_tokens == 5)
    futures = scheduler.submit_group([item(4), item(5)], priority="interactive", timeout_s=None)
    await asyncio.gather(*futures, return_exceptions=True)
    assert dict(scheduler.faults) == {"failed_pass": 2, "stuck_pass": 0, "stopped": 0}


async def test_a_group_that_never_fits_is_told(opened: Opened, item: Callable[..., ForwardItem]) -> None:
    heard, scheduler, _ = opened
    with pytest.raises(GroupTooLarge):
        await scored(scheduler, *[item(size) for size in range(1, 5)])
    assert heard.refused == [("fake", "group_too_large")]


async def test_a_group_without_room_is_told(opened: Opened, item: Callable[..., ForwardItem]) -> None:
    heard, scheduler, _ = opened
    waiting = scheduler.submit_group([item(1), item(2)], priority="interactive", timeout_s=None)
    with pytest.raises(QueueFull):
        await scored(scheduler, item(7), item(8))
    await asyncio.gather(*waiting)
    assert heard.refused == [("fake", "queue_full")]

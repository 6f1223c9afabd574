"""Equal inputs are computed once: remembered after a pass, collapsed within one, waited for while one runs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import ForwardItem, RenderedInput
from surefoot.errors import BackendFailed
from surefoot.ports import SilentTelemetry
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.scheduler import Scheduler
from surefoot.scheduling.score_cache import key_of


@pytest.fixture
async def remembering() -> AsyncIterator[tuple[FakeBackend, Scheduler]]:
    backend = FakeBackend(max_input_tokens=64)
    scheduler = Scheduler(backend, SchedulerLimits(max_batch_tokens=64), SilentTelemetry(), max_cached_scores=2)
    await scheduler.start()
    yield backend, scheduler
    backend.release()
    await scheduler.close(1)


async def scored(scheduler: Scheduler, *items: ForwardItem):
    return await asyncio.gather(*scheduler.submit_group(items, priority="interactive", timeout_s=None))


async def test_what_was_computed_is_not_computed_again(remembering, item: Callable[..., ForwardItem]) -> None:
    backend, scheduler = remembering
    [first] = await scored(scheduler, item(5))
    [again] = await scored(scheduler, item(5))
    assert again.rows == first.rows
    assert (first.cached_tokens, again.cached_tokens) == (0, 5)
    assert (again.forward_s, len(backend.batches)) == (0.0, 1)


async def test_equal_inputs_of_a_batch_are_computed_once(remembering, item: Callable[..., ForwardItem]) -> None:
    backend, scheduler = remembering
    results = await scored(scheduler, item(5), item(6), item(5))
    assert backend.batches == [(item(5), item(6))]
    assert [result.rows for result in results] == [FakeBackend().plain_rows(item(size)) for size in (5, 6, 5)]


async def test_an_input_that_runs_is_waited_for(remembering, item: Callable[..., ForwardItem]) -> None:
    backend, scheduler = remembering
    backend.hold()
    first = asyncio.create_task(scored(scheduler, item(5)))
    while not backend.batches:  # noqa: ASYNC110 (a thread makes it true)
        await asyncio.sleep(0.001)
    second = asyncio.create_task(scored(scheduler, item(5)))
    await asyncio.sleep(0.01)
    backend.release()
    assert (await first)[0].rows == (await second)[0].rows
    assert len(backend.batches) == 1


async def test_one_of_two_equal_callers_may_leave(remembering, item: Callable[..., ForwardItem]) -> None:
    backend, scheduler = remembering
    backend.hold()
    await asyncio.sleep(0)
    gone, kept = scheduler.submit_group([item(5), item(5)], priority="interactive", timeout_s=None)
    gone.cancel()
    backend.release()
    assert (await kept).rows == FakeBackend().plain_rows(item(5))


async def test_a_failure_is_not_remembered(remembering, item: Callable[..., ForwardItem]) -> None:
    backend, scheduler = remembering
    backend.fail_next()
    with pytest.raises(BackendFailed):
        await scored(scheduler, item(5))
    assert (await scored(scheduler, item(5)))[0].rows == FakeBackend().plain_rows(item(5))


async def test_the_least_recently_used_is_forgotten(remembering, item: Callable[..., ForwardItem]) -> None:
    backend, scheduler = remembering
    for size in (4, 5, 4, 6, 4, 5):
        await scored(scheduler, item(size))
    assert [batch[0].rendered.num_tokens for batch in backend.batches] == [4, 5, 6, 5]


async def test_a_full_queue_still_answers_what_is_known(item: Callable[..., ForwardItem]) -> None:
    backend = FakeBackend(max_input_tokens=8)
    limits = SchedulerLimits(max_batch_tokens=8, max_queue_items=1)
    scheduler = Scheduler(backend, limits, SilentTelemetry(), max_cached_scores=2)
    await scheduler.start()
    await scored(scheduler, item(5))
    backend.hold()
    running = scheduler.submit_group([item(6)], priority="interactive", timeout_s=None)
    while len(backend.batches) < 2:  # noqa: ASYNC110 (a thread makes it true)
        await asyncio.sleep(0.001)
    waiting = scheduler.submit_group([item(7)], priority="interactive", timeout_s=None)
    assert (await scored(scheduler, item(5)))[0].cached_tokens == 5
    backend.release()
    await asyncio.gather(*running, *waiting)
    await scheduler.close(1)


INPUT = ForwardItem(RenderedInput((1, 2, 3), (1, 2), 1), "prm@1")


@pytest.mark.parametrize(
    "other",
    [
        replace(INPUT, head="prm@2"),
        replace(INPUT, rendered=RenderedInput((1, 2, 4), (1, 2), 1)),
        replace(INPUT, rendered=RenderedInput((1, 2, 3), (2,), 1)),
        replace(INPUT, rendered=RenderedInput((1, 2, 3), (1, 2), 0)),
        replace(INPUT, rendered=RenderedInput((1, 2, 3, 1), (2,), 1)),
    ],
)
def test_what_changes_rows_changes_the_key(other: ForwardItem) -> None:
    assert key_of(other) != key_of(INPUT)


@given(st.lists(st.integers(0, 2**31), min_size=1, max_size=20), st.data())
def test_equal_inputs_have_equal_keys(tokens, data) -> None:
    places = tuple(sorted(data.draw(st.sets(st.integers(0, len(tokens) - 1)))))
    items = [ForwardItem(RenderedInput(tuple(tokens), places), "prm") for _ in range(2)]
    assert key_of(items[0]) == key_of(items[1])

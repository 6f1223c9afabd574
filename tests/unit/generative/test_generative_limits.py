"""Queue, deadline and cancelling of a generative verifier."""

import asyncio

import pytest

from surefoot.domain import ScoreOptions, ScoreTask
from surefoot.errors import DeadlineExceeded, GroupTooLarge, QueueFull
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.scheduling.limits import SchedulerLimits

TASK = ScoreTask("2 + 3?", steps=("2 + 3 = 5", "The answer is 5."))


@pytest.fixture
async def started(verifier):
    """Starts scoring in the background; whatever still runs at the end is cancelled."""
    running: list[asyncio.Task] = []

    def start(bench, *tasks: ScoreTask, **options) -> asyncio.Task:
        running.append(asyncio.create_task(bench.scorer.score_group(tasks, ScoreOptions(**options))))
        return running[-1]

    yield start
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_no_more_critiques_are_drawn_at_a_time_than_allowed(verifier, started) -> None:
    bench = await verifier(sampler=FakeSampler(["x"], hold=True), samples=2, max_concurrent=4)
    started(bench, *[TASK] * 5)
    await bench.until(lambda: len(bench.sampler.prompts) == 2)
    await asyncio.sleep(0.02)
    assert len(bench.sampler.prompts) == 2


async def test_a_prompt_with_more_critiques_than_places_is_drawn_too(verifier) -> None:
    score = await (await verifier(samples=4, max_concurrent=1)).score(TASK)
    assert len(score.raw) == 8


async def test_a_full_queue_refuses_the_whole_group(verifier, started) -> None:
    limits = SchedulerLimits(max_queue_items=4)
    bench = await verifier(sampler=FakeSampler(["x"], hold=True), samples=2, max_concurrent=2, limits=limits)
    started(bench, TASK, TASK)
    await bench.until(lambda: len(bench.sampler.prompts) == 1)
    with pytest.raises(QueueFull):
        await bench.group(TASK, TASK)


async def test_what_is_being_drawn_does_not_wait(verifier, started) -> None:
    limits = SchedulerLimits(max_queue_items=2)
    bench = await verifier(sampler=FakeSampler(["x"], hold=True), max_concurrent=1, limits=limits)
    started(bench, TASK)
    await bench.until(lambda: len(bench.sampler.prompts) == 1)
    second = started(bench, TASK, TASK)
    await asyncio.sleep(0.02)
    assert not second.done()


async def test_a_group_that_never_fits_is_refused_for_good(verifier) -> None:
    bench = await verifier(samples=3, limits=SchedulerLimits(max_queue_items=2))
    with pytest.raises(GroupTooLarge):
        await bench.group(TASK)
    assert bench.telemetry.refused == [("critic", "group_too_large")]


async def test_a_cancelled_group_stops_the_sampler_and_frees_its_places(verifier, started) -> None:
    limits = SchedulerLimits(max_queue_items=2)
    bench = await verifier(sampler=FakeSampler(["x"], hold=True), max_concurrent=1, limits=limits)
    first = started(bench, TASK, TASK)
    await bench.until(lambda: len(bench.sampler.prompts) == 1)
    first.cancel()
    await asyncio.wait({first})
    assert bench.sampler.num_cancelled == 1
    second = started(bench, TASK, TASK)
    await bench.until(lambda: len(bench.sampler.prompts) == 2)
    assert not second.done()


async def test_a_deadline_ends_the_drawing(verifier) -> None:
    bench = await verifier(sampler=FakeSampler(["x"], hold=True))
    error = await bench.error(TASK, timeout_s=0.05)
    assert (type(error), bench.sampler.num_cancelled) == (DeadlineExceeded, 1)


async def test_a_deadline_ends_the_wait_for_a_place(verifier, started) -> None:
    bench = await verifier(sampler=FakeSampler(["x"], hold=True), max_concurrent=1)
    started(bench, TASK)
    await bench.until(lambda: len(bench.sampler.prompts) == 1)
    assert type(await bench.error(TASK, timeout_s=0.05)) is DeadlineExceeded
    assert len(bench.sampler.prompts) == 1


async def test_a_deadline_ends_the_wait_for_the_forward_pass(verifier, started) -> None:
    bench = await verifier()
    bench.backend.hold()
    started(bench, TASK)
    await bench.until(lambda: len(bench.backend.batches) == 1)
    assert type(await bench.error(TASK, timeout_s=0.1)) is DeadlineExceeded


class SlowStart(FakeSampler):
    """Its engine never comes up."""

    async def start(self) -> None:
        await asyncio.Event().wait()


async def test_a_deadline_ends_the_wait_for_the_engine(verifier) -> None:
    bench = await verifier(sampler=SlowStart(["x"]))
    assert type(await bench.error(TASK, timeout_s=0.05)) is DeadlineExceeded


async def test_critiques_that_are_drawn_wait_for_a_place_among_the_verdicts(verifier, started) -> None:
    bench = await verifier(limits=SchedulerLimits(max_queue_items=1))
    bench.backend.hold()
    first = started(bench, TASK)
    await bench.until(lambda: len(bench.backend.batches) == 1)
    second = started(bench, TASK)
    await bench.until(lambda: bench.scheduler.snapshot().num_requests == 1)
    third = started(bench, TASK)
    await bench.until(lambda: len(bench.sampler.prompts) == 3)
    bench.backend.release()
    scores = [(await task).results[0].score for task in (first, second, third)]
    assert len(set(scores)) == 1


async def test_a_queue_that_closes_fails_the_item(verifier) -> None:
    bench = await verifier()
    await bench.scheduler.close(1)
    assert "shutting down" in (await bench.error(TASK)).message


async def test_priority_reaches_the_scheduler(verifier, started) -> None:
    bench = await verifier(limits=SchedulerLimits(max_batch_items=1))
    bench.backend.hold()
    running = [started(bench, TASK)]
    await bench.until(lambda: len(bench.backend.batches) == 1)
    for count, priority in enumerate(("bulk", "interactive"), start=1):
        running.append(started(bench, ScoreTask(priority, steps=("a",)), priority=priority))
        await bench.until(lambda count=count: bench.scheduler.snapshot().num_requests == count)
    bench.backend.release()
    await asyncio.gather(*running)
    assert ["interactive" in text for text in bench.read_texts()[1:]] == [True, False]

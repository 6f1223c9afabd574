"""Work that there is no room for is refused before it is tokenised."""

import asyncio
from collections.abc import Callable

import pytest

from surefoot.callers import called_by
from surefoot.domain import ScoreOptions, ScoreTask
from surefoot.errors import QueueFull
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.wiring.fake_service import FakeParts, build_fake_service

OPTIONS = ScoreOptions()


def task(number: int) -> ScoreTask:
    return ScoreTask(problem=f"What is {number} and {number}?", steps=("It is as much again.",) * 4)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (a thread makes it true)
            await asyncio.sleep(0.001)


async def test_a_caller_whose_work_waits_too_long_is_refused_before_its_texts_are_tokenised(monkeypatch) -> None:
    parts = FakeParts(queue=SchedulerLimits(max_queue_s=0.1))
    fake = build_fake_service(parts)
    await fake.service.start()
    line = fake.service.registry.get("prm").line
    prepared = []
    prepare = line.preparation.prepare_group
    monkeypatch.setattr(
        line.preparation, "prepare_group", lambda tasks, **more: (prepared.append(tasks), prepare(tasks, **more))[1]
    )
    try:
        await line.score_group([task(0)], OPTIONS)
        fake.scheduler._settlement.tokens_per_s = 50.0
        parts.backend.hold()
        with called_by("busy"):
            running = [asyncio.create_task(line.score_group([task(1)], OPTIONS))]
            await until(lambda: len(parts.backend.batches) == 2)
            running.append(asyncio.create_task(line.score_group([task(2)], OPTIONS)))
            await until(lambda: fake.scheduler.snapshot().num_requests == 1)
            with pytest.raises(QueueFull):
                await line.score_group([task(3)], OPTIONS)
        assert len(prepared) == 3
        parts.backend.release()
        await asyncio.gather(*running)
    finally:
        parts.backend.release()
        await fake.service.close()

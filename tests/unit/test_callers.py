"""Who asks is known to all that is begun for a request, and to nothing else."""

import asyncio

from surefoot.callers import NOBODY, called_by, current_caller


def test_nobody_asks_by_default() -> None:
    assert current_caller() == NOBODY


async def test_tasks_know_who_they_are_done_for() -> None:
    async def asked() -> str:
        await asyncio.sleep(0)
        return current_caller()

    with called_by("a"):
        first = asyncio.create_task(asked())
    with called_by("b"):
        second = asyncio.create_task(asked())
    assert [await first, await second, await asked()] == ["a", "b", NOBODY]

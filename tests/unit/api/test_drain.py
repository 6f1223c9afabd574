"""When a stopping service may end."""

import asyncio

from surefoot.api.drain import Drain


class HandClock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_before_it_begins_it_is_not_over() -> None:
    assert not Drain(5.0).is_over


def test_without_work_it_is_over_at_once() -> None:
    drain = Drain(5.0)
    drain.begin()
    assert (drain.has_begun, drain.is_over) == (True, True)


def test_it_waits_for_accepted_work() -> None:
    drain = Drain(5.0, HandClock())
    drain.enter()
    drain.begin()
    assert not drain.is_over
    drain.leave()
    assert drain.is_over


async def test_the_grace_ends_the_wait_of_accepted_work() -> None:
    clock = HandClock()
    drain = Drain(5.0, clock)
    drain.begin()
    expiry = asyncio.create_task(drain.expiry())
    clock.now = 4.9
    drain.check_time()
    await asyncio.sleep(0)
    assert not expiry.done()
    clock.now = 5.0
    drain.check_time()
    async with asyncio.timeout(1):
        await expiry


async def test_a_second_begin_does_not_extend_the_grace() -> None:
    clock = HandClock()
    drain = Drain(5.0, clock)
    drain.begin()
    clock.now = 4.0
    drain.begin()
    clock.now = 5.0
    drain.check_time()
    async with asyncio.timeout(1):
        await drain.expiry()


def test_without_a_begin_time_means_nothing() -> None:
    drain = Drain(0.0)
    drain.check_time()
    assert not drain.is_over

"""A generator that is busy for longer than callers wait refuses them, by its recent speed."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from surefoot.domain import Message, Prompt, SampledCandidate, SamplingOptions
from surefoot.errors import QueueFull
from surefoot.sampling.bounded_sampler import NUM_TELLING, BoundedSampler
from surefoot.sampling.fake_sampler import FakeSampler

ASKED = [Message("user", "2 + 3?")]
PROMPT = Prompt(tuple(ASKED), (1,))
BOUND_S = 30.0


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bounded(clock: Clock) -> BoundedSampler:
    return BoundedSampler(FakeSampler(["5"]), BOUND_S, clock=clock)


def drawing(sampler: BoundedSampler, n: int) -> AsyncIterator[SampledCandidate]:
    return sampler.sample(PROMPT, SamplingOptions(n=n))


async def take(stream: AsyncIterator[SampledCandidate], count: int, clock: Clock, each_s: float = 1.0) -> None:
    for _ in range(count):
        clock.now += each_s
        await anext(stream)


async def test_an_idle_generator_takes_any(bounded: BoundedSampler) -> None:
    assert (await bounded.encode_prompt(ASKED)).token_ids


async def test_while_its_speed_is_unknown_it_takes_any(bounded: BoundedSampler, clock: Clock) -> None:
    async with aclosing(drawing(bounded, 1_000)) as stream:
        await take(stream, NUM_TELLING - 1, clock)
        assert await bounded.encode_prompt(ASKED)


@pytest.mark.parametrize(("num_left", "is_taken"), [(25, True), (40, False)])
async def test_what_waits_longer_than_the_bound_is_refused(bounded, clock, num_left: int, is_taken: bool) -> None:
    async with aclosing(drawing(bounded, num_left + NUM_TELLING)) as stream:
        await take(stream, NUM_TELLING, clock)
        clock.now += 1.0
        if is_taken:
            assert await bounded.encode_prompt(ASKED)
            return
        with pytest.raises(QueueFull, match=r"^40 candidates .* for 40 s, .* retry in 10 s$") as caught:
            await bounded.encode_prompt(ASKED)
    assert caught.value.retry_after_s == pytest.approx(10.0)


async def test_one_that_has_come_to_a_stop_is_not_believed_to_be_quick(bounded, clock) -> None:
    async with aclosing(drawing(bounded, NUM_TELLING + 4)) as stream:
        await take(stream, NUM_TELLING, clock, each_s=0.01)
        assert await bounded.encode_prompt(ASKED)
        clock.now += 200.0
        with pytest.raises(QueueFull):
            await bounded.encode_prompt(ASKED)


async def test_what_is_withdrawn_makes_room(bounded, clock) -> None:
    first, second = drawing(bounded, NUM_TELLING + 2), drawing(bounded, 1_000)
    async with aclosing(first):
        await take(first, NUM_TELLING, clock)
        await anext(second)
        with pytest.raises(QueueFull):
            await bounded.encode_prompt(ASKED)
        await second.aclose()
        assert await bounded.encode_prompt(ASKED)


async def test_a_failed_draw_makes_room(clock) -> None:
    fake = FakeSampler(["5"])
    fake.breaks_after = NUM_TELLING + 1
    bounded = BoundedSampler(fake, BOUND_S, clock=clock)
    stream = drawing(bounded, 1_000)
    await take(stream, NUM_TELLING + 1, clock)
    with pytest.raises(QueueFull):
        await bounded.encode_prompt(ASKED)
    with pytest.raises(RuntimeError):
        await anext(stream)
    assert await bounded.encode_prompt(ASKED)


async def test_time_without_work_is_not_taken_for_slowness(bounded, clock) -> None:
    async with aclosing(drawing(bounded, NUM_TELLING)) as stream:
        await take(stream, NUM_TELLING, clock)
        assert [candidate async for candidate in stream] == []
    clock.now += 3_600.0
    async with aclosing(drawing(bounded, 1_000)) as stream:
        await take(stream, 2, clock)
        assert await bounded.encode_prompt(ASKED)


async def test_zero_sets_no_bound(clock) -> None:
    bounded = BoundedSampler(FakeSampler(["5"]), 0.0, clock=clock)
    async with aclosing(drawing(bounded, 1_000)) as stream:
        await take(stream, NUM_TELLING, clock, each_s=100.0)
        assert await bounded.encode_prompt(ASKED)


async def test_the_rest_is_the_generators_own(bounded) -> None:
    await bounded.start()
    assert (bounded.fingerprint, bounded.state()) == ("fake", FakeSampler(["5"]).state())
    await bounded.close()

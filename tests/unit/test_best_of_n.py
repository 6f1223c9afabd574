"""Drawing candidates: order, measurements, and what happens when sampling fails or is given up."""

import asyncio

import pytest

from surefoot.domain import Message, SamplingOptions
from surefoot.drawing import draw_samples
from surefoot.errors import SamplerUnavailable
from surefoot.ports import SilentTelemetry
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.wiring.fake_service import FAKE_TEXTS

PROMPT = [Message("user", "2 + 3?")]


class Counting(SilentTelemetry):
    def __init__(self) -> None:
        self.sampled: list[tuple[str, int, int]] = []
        self.failed: list[str] = []

    def candidates_sampled(self, generator: str, num_candidates: int, num_tokens: int, seconds: float) -> None:
        self.sampled.append((generator, num_candidates, num_tokens))

    def sampler_failed(self, generator: str) -> None:
        self.failed.append(generator)


class LastFirst(FakeSampler):
    """Finishes the last candidate first, as engines may."""

    async def sample(self, prompt, options):
        for candidate in reversed([candidate async for candidate in super().sample(prompt, options)]):
            yield candidate


async def draw(sampler, telemetry=None, **options):
    return await draw_samples("g", sampler, PROMPT, SamplingOptions(**options), telemetry or Counting())


async def test_candidates_stand_in_the_order_of_their_index() -> None:
    samples = await draw(LastFirst(FAKE_TEXTS), n=3)
    assert [(candidate.index, candidate.text) for candidate in samples.candidates] == list(enumerate(FAKE_TEXTS))


async def test_the_prompt_is_the_policys() -> None:
    assert (await draw(FakeSampler(FAKE_TEXTS))).prompt_token_ids == tuple(map(ord, "2 + 3?"))


async def test_a_draw_is_measured() -> None:
    telemetry = Counting()
    await draw(FakeSampler(["abc"]), telemetry, n=4)
    assert (telemetry.sampled, telemetry.failed) == ([("g", 4, 12)], [])


async def test_a_failure_is_measured_and_passed_on() -> None:
    telemetry, sampler = Counting(), FakeSampler(["a"])
    sampler.fails_with = "down"
    with pytest.raises(SamplerUnavailable):
        await draw(sampler, telemetry)
    assert (telemetry.sampled, telemetry.failed) == ([], ["g"])


async def test_giving_up_stops_the_sampler_and_is_no_failure() -> None:
    telemetry, sampler = Counting(), FakeSampler(["a"], hold=True)
    running = asyncio.create_task(draw(sampler, telemetry))
    async with asyncio.timeout(5):
        while not sampler.prompts:  # noqa: ASYNC110 (the task makes it true)
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert (sampler.num_cancelled, telemetry.failed) == (1, [])

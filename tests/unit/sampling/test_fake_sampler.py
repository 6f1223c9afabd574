"""The shipped fake sampler keeps the port's promises."""

import asyncio
from contextlib import aclosing

import pytest

from surefoot.domain import Message, Prompt, SamplingOptions
from surefoot.errors import SamplerUnavailable
from surefoot.sampling.fake_sampler import FakeSampler


async def drawn(sampler: FakeSampler, **options) -> list:
    async with aclosing(sampler.sample(Prompt((), (1, 2)), SamplingOptions(**options))) as stream:
        return [candidate async for candidate in stream]


async def test_texts_come_in_turn() -> None:
    candidates = await drawn(FakeSampler(["a", "b"]), n=5)
    assert [candidate.text for candidate in candidates] == ["a", "b", "a", "b", "a"]


async def test_each_index_comes_once() -> None:
    assert [candidate.index for candidate in await drawn(FakeSampler(["a"]), n=4)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("max_tokens", "text", "reason"), [(2, "ab", "length"), (3, "abc", "stop"), (9, "abc", "stop")]
)
async def test_a_long_text_is_cut(max_tokens, text, reason) -> None:
    [candidate] = await drawn(FakeSampler(["abc"]), max_tokens=max_tokens)
    assert (candidate.text, candidate.finish_reason, len(candidate.token_ids)) == (text, reason, len(text))


@pytest.mark.parametrize("wanted", [True, False])
async def test_logprobs_come_on_request(wanted) -> None:
    [candidate] = await drawn(FakeSampler(["abc"]), logprobs=wanted)
    assert (candidate.logprobs is not None) == wanted


async def test_logprobs_sum_to_the_cumulative_one() -> None:
    [candidate] = await drawn(FakeSampler(["abc"]), logprobs=True)
    assert sum(candidate.logprobs) == candidate.cumulative_logprob


async def test_prompts_are_recorded() -> None:
    sampler = FakeSampler(["a"])
    await drawn(sampler)
    assert sampler.prompts == [(1, 2)]


async def test_a_prompt_is_its_characters() -> None:
    prompt = await FakeSampler(["a"]).encode_prompt([Message("system", "x"), Message("user", "y")])
    assert prompt.token_ids == (ord("x"), ord("y"))


async def test_a_beginning_follows_the_prompt() -> None:
    prompt = await FakeSampler(["a"]).encode_prompt([Message("user", "y")], beginning="z")
    assert (prompt.token_ids, prompt.beginning) == ((ord("y"), ord("z")), "z")


async def test_a_failing_sampler_cannot_be_used() -> None:
    sampler = FakeSampler(["a"])
    sampler.fails_with = "no memory"
    with pytest.raises(SamplerUnavailable, match="no memory"):
        await drawn(sampler)


async def test_a_sampler_may_break_down_on_the_way() -> None:
    sampler = FakeSampler(["a"])
    sampler.breaks_after = 2
    candidates = sampler.sample(Prompt(()), SamplingOptions(n=3))
    assert [(await anext(candidates)).index, (await anext(candidates)).index] == [0, 1]
    with pytest.raises(RuntimeError, match="told to fail"):
        await anext(candidates)


async def test_a_held_sampler_waits_until_it_is_cancelled() -> None:
    sampler = FakeSampler(["a"], hold=True)
    running = asyncio.create_task(drawn(sampler))
    await asyncio.wait({running}, timeout=0.01)
    assert not running.done()
    running.cancel()
    await asyncio.wait({running})
    assert sampler.num_cancelled == 1


async def test_its_state_is_ready() -> None:
    assert FakeSampler(["a"], name="x").state().state == "ready"

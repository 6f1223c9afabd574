"""Best of N: sample candidates, rank them, pick one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from surefoot.domain import Message, SampledCandidate, SamplingOptions
from surefoot.ports import Sampler, Telemetry
from surefoot.ranking import CandidateInput, Ranker, Ranking, RankOptions, RankTask


@dataclass(frozen=True, slots=True)
class Samples:
    """Finished candidates in order of their index, and the policy's own prompt tokens."""

    prompt_token_ids: tuple[int, ...]
    candidates: tuple[SampledCandidate, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class BestOfN:
    """Samples and their ranking, which holds one group."""

    samples: Samples
    ranking: Ranking


async def draw_samples(
    name: str, sampler: Sampler, messages: Sequence[Message], options: SamplingOptions, telemetry: Telemetry
) -> Samples:
    """All candidates of one conversation; when the caller goes away the sampler stops too."""
    started = time.perf_counter()
    try:
        prompt = await sampler.encode_prompt(messages)
        async with aclosing(sampler.sample(prompt, options)) as stream:  # type: ignore[type-var]
            candidates = sorted([candidate async for candidate in stream], key=lambda candidate: candidate.index)
    except Exception:
        telemetry.sampler_failed(name)
        raise
    seconds = time.perf_counter() - started
    num_tokens = sum(len(candidate.token_ids) for candidate in candidates)
    telemetry.candidates_sampled(name, len(candidates), num_tokens, seconds)
    return Samples(prompt, tuple(candidates), seconds)


async def rank_samples(
    ranker: Ranker, problem: str, context: tuple[Message, ...], samples: Samples, options: RankOptions
) -> BestOfN:
    """Rank drawn candidates as they would be ranked if the caller had sent them."""
    inputs = tuple(CandidateInput(text=candidate.text) for candidate in samples.candidates)
    return BestOfN(samples, await ranker.rank([RankTask(problem, inputs, context)], options))

"""All candidates of one conversation, drawn from a generator."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

from surefoot.domain import Message, SampledCandidate, SamplingOptions
from surefoot.errors import QueueFull
from surefoot.ports import Sampler, Telemetry


@dataclass(frozen=True, slots=True)
class Samples:
    """Finished candidates in order of their index, and the policy's own prompt tokens."""

    prompt_token_ids: tuple[int, ...]
    candidates: tuple[SampledCandidate, ...]
    seconds: float


async def draw_samples(
    name: str,
    sampler: Sampler,
    messages: Sequence[Message],
    options: SamplingOptions,
    telemetry: Telemetry,
    *,
    beginning: str = "",
) -> Samples:
    """All candidates of one conversation, each what follows `beginning` in the answer; when the caller goes away the
    sampler stops too."""
    started = time.perf_counter()
    with telling(telemetry, name):
        prompt = await sampler.encode_prompt(messages, beginning=beginning)
        async with aclosing(sampler.sample(prompt, options)) as stream:  # type: ignore[type-var]
            candidates = sorted([candidate async for candidate in stream], key=lambda candidate: candidate.index)
    seconds = time.perf_counter() - started
    num_tokens = sum(candidate.num_tokens for candidate in candidates)
    telemetry.candidates_sampled(name, len(candidates), num_tokens, seconds)
    return Samples(prompt.token_ids, tuple(candidates), seconds)


@contextmanager
def telling(telemetry: Telemetry, generator: str) -> Iterator[None]:
    """A request that is refused has not failed: the generator is well, and busy."""
    try:
        yield
    except QueueFull as refusal:
        telemetry.admission_refused(generator, refusal.code)
        raise
    except Exception:
        telemetry.sampler_failed(generator)
        raise

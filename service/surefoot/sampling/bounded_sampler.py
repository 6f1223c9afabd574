"""A generator that refuses what would wait longer than callers do."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing

from surefoot.domain import Message, Prompt, SampledCandidate, SamplerState, SamplingOptions
from surefoot.errors import QueueFull
from surefoot.errors.request import MAX_RETRY_AFTER_S, MIN_RETRY_AFTER_S
from surefoot.ports import Sampler

NUM_RECENT, NUM_TELLING = 64, 16
"""Finished candidates that the speed is of, and how many there must be before it is believed."""


class BoundedSampler:
    """Another sampler, which requests may wait for `max_queue_s` seconds at its recent speed; 0 sets no bound.

    What a request brings itself does not count: an idle generator takes any.
    """

    def __init__(self, sampler: Sampler, max_queue_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.max_queue_s = max_queue_s
        self._sampler, self._clock = sampler, clock
        self._num_under_way = 0
        self._finished_at: deque[float] = deque(maxlen=NUM_RECENT)

    @property
    def fingerprint(self) -> str | None:
        return self._sampler.fingerprint

    def state(self) -> SamplerState:
        return self._sampler.state()

    async def start(self) -> None:
        await self._sampler.start()

    async def encode_prompt(self, messages: Sequence[Message], *, beginning: str = "") -> Prompt:
        """Raises `QueueFull` too: every request begins here, and none has been answered in part yet."""
        wait_s = self._wait_s()
        if 0 < self.max_queue_s < wait_s:
            retry_s = min(max(wait_s - self.max_queue_s, MIN_RETRY_AFTER_S), MAX_RETRY_AFTER_S)
            raise QueueFull(
                f"{self._num_under_way} candidates are to be drawn before this request's, for {wait_s:.0f} s, and it "
                f"may wait {self.max_queue_s:g} s; retry in {retry_s:.0f} s",
                retry_after_s=retry_s,
            )
        return await self._sampler.encode_prompt(messages, beginning=beginning)

    async def sample(self, prompt: Prompt, options: SamplingOptions) -> AsyncIterator[SampledCandidate]:
        num_left = options.n
        self._num_under_way += num_left
        try:
            async with aclosing(self._sampler.sample(prompt, options)) as stream:  # type: ignore[type-var]
                async for candidate in stream:
                    num_left -= 1
                    self._num_under_way -= 1
                    self._finished_at.append(self._clock())
                    yield candidate
        finally:
            self._num_under_way -= num_left
            if not self._num_under_way:
                # The time without work says nothing of the speed.
                self._finished_at.clear()

    async def close(self) -> None:
        await self._sampler.close()

    def _wait_s(self) -> float:
        """Seconds until what is under way is done; 0 while the speed is unknown."""
        if len(self._finished_at) < NUM_TELLING:
            return 0.0
        # To this moment, so that an engine that has come to a stop is not believed to be quick.
        seconds = self._clock() - self._finished_at[0]
        return self._num_under_way * seconds / len(self._finished_at)

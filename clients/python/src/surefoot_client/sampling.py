"""`sample` and `best_of_n` of both clients, which inherit them from here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from surefoot_client import operations
from surefoot_client.calls import Call
from surefoot_client.inputs import EarlyStop, Messages
from surefoot_client.samples import BestOfN, SampleResponse

T = TypeVar("T")


class Sampling(ABC):
    """Samples with the calls of a blocking client."""

    @abstractmethod
    def _run(self, call: Call[T], pause: Callable[[float], None] | None = None) -> T: ...

    def sample(
        self,
        problem_or_messages: str | Messages,
        *,
        beginning: str | None = None,
        n: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        top_k: int | None = None,
        max_tokens: int | None = None,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        logprobs: bool | None = None,
        generator: str | None = None,
    ) -> SampleResponse:
        """Draw `n` candidate solutions from the server's policy; with a `beginning` they hold what follows it."""
        return self._run(
            operations.sample(
                problem_or_messages,
                beginning=beginning,
                n=n,
                temperature=temperature,
                top_p=top_p,
                top_k=top_k,
                max_tokens=max_tokens,
                stop=stop,
                seed=seed,
                logprobs=logprobs,
                generator=generator,
            )
        )

    def best_of_n(
        self,
        problem_or_messages: str | Messages,
        *,
        sampling: Mapping[str, object] | None = None,
        ranking: Mapping[str, object] | None = None,
        early_stop: EarlyStop | Mapping[str, object] | None = None,
    ) -> BestOfN:
        """Sample, then rank: `sampling` holds the arguments of `sample`, `ranking` those of `rerank`."""
        return self._run(
            operations.best_of_n(problem_or_messages, sampling=sampling, ranking=ranking, early_stop=early_stop)
        )


class AsyncSampling(ABC):
    """Samples with the calls of an asyncio client."""

    @abstractmethod
    def _run(self, call: Call[T]) -> Awaitable[T]: ...

    async def sample(
        self,
        problem_or_messages: str | Messages,
        *,
        beginning: str | None = None,
        n: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        top_k: int | None = None,
        max_tokens: int | None = None,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        logprobs: bool | None = None,
        generator: str | None = None,
    ) -> SampleResponse:
        """Draw `n` candidate solutions from the server's policy; with a `beginning` they hold what follows it."""
        return await self._run(
            operations.sample(
                problem_or_messages,
                beginning=beginning,
                n=n,
                temperature=temperature,
                top_p=top_p,
                top_k=top_k,
                max_tokens=max_tokens,
                stop=stop,
                seed=seed,
                logprobs=logprobs,
                generator=generator,
            )
        )

    async def best_of_n(
        self,
        problem_or_messages: str | Messages,
        *,
        sampling: Mapping[str, object] | None = None,
        ranking: Mapping[str, object] | None = None,
        early_stop: EarlyStop | Mapping[str, object] | None = None,
    ) -> BestOfN:
        """Sample, then rank: `sampling` holds the arguments of `sample`, `ranking` those of `rerank`."""
        return await self._run(
            operations.best_of_n(problem_or_messages, sampling=sampling, ranking=ranking, early_stop=early_stop)
        )

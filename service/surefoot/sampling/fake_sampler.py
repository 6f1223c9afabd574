"""A sampler without a model: scripted texts, for tests and for trying the API without weights."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from surefoot.domain import Message, Prompt, SampledCandidate, SamplerState, SamplingOptions
from surefoot.errors import SamplerUnavailable


class FakeSampler:
    """Candidate i is `texts[i % len(texts)]`, one token a character; `hold` makes it wait until it is cancelled.

    `prompts` and `options` record what was asked; with `breaks_after` it fails once so many candidates are given.
    """

    def __init__(self, texts: Sequence[str], *, name: str = "fake", hold: bool = False) -> None:
        self._texts = list(texts)
        self._name = name
        self._hold = hold
        self.num_cancelled = 0
        self.prompts: list[tuple[int, ...]] = []
        self.options: list[SamplingOptions] = []
        self.breaks_after: int | None = None
        self.fails_with: str | None = None

    @property
    def fingerprint(self) -> str | None:
        return "fake"

    def state(self) -> SamplerState:
        return SamplerState(self._name, "fake", "ready")

    async def start(self) -> None:
        if self.fails_with is not None:
            raise SamplerUnavailable(self.fails_with)

    async def encode_prompt(self, messages: Sequence[Message], *, beginning: str = "") -> Prompt:
        await self.start()
        text = "".join((*(message.content for message in messages), beginning))
        return Prompt(tuple(messages), tuple(map(ord, text)), beginning)

    async def sample(self, prompt: Prompt, options: SamplingOptions) -> AsyncIterator[SampledCandidate]:
        await self.start()
        self.prompts.append(prompt.token_ids)
        self.options.append(options)
        texts = self.texts_for(prompt)
        try:
            for index in range(options.n):
                await (asyncio.Event().wait() if self._hold else asyncio.sleep(0))
                if index == self.breaks_after:
                    raise RuntimeError("the fake sampler was told to fail")
                text = texts[index % len(texts)]
                token_ids = tuple(ord(character) for character in text[: options.max_tokens])
                logprobs = tuple(-0.5 for _ in token_ids)
                yield SampledCandidate(
                    index=index,
                    text=text[: options.max_tokens],
                    token_ids=token_ids,
                    finish_reason="stop" if len(text) <= options.max_tokens else "length",
                    cumulative_logprob=sum(logprobs),
                    logprobs=logprobs if options.logprobs else None,
                )
        except asyncio.CancelledError:
            self.num_cancelled += 1
            raise

    def texts_for(self, prompt: Prompt) -> Sequence[str]:  # noqa: ARG002  for those that answer by it
        """What is drawn for a prompt, in turn."""
        return self._texts

    async def close(self) -> None: ...

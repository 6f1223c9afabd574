"""Critiques from a sampler, as inputs whose verdict can be read."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from surefoot.domain import Prompt, RenderedInput, SampledCandidate, SamplingOptions
from surefoot.errors import BackendFailed, InputTooLong, ItemError, SurefootError
from surefoot.generative.critique import critique_seed, verdict_input
from surefoot.ports import Sampler, Telemetry, Tokenizer
from surefoot.profiles import GenerativeVerdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What can be read of a prompt's critiques, in order of their index, and why nothing can of the others."""

    inputs: tuple[RenderedInput, ...]
    failures: tuple[ItemError, ...]


class CritiqueSource:
    """Draws the critiques that a profile asks for. The sampler's tokens must be those of the model that reads them."""

    def __init__(
        self,
        spec: GenerativeVerdict,
        sampler: Sampler,
        tokenizer: Tokenizer,
        telemetry: Telemetry,
        *,
        vocabulary_size: int,
    ) -> None:
        """`vocabulary_size` is how many token ids the reading model knows."""
        self.spec = spec
        self._sampler = sampler
        self._tokenizer = tokenizer
        self._telemetry = telemetry
        self._vocabulary_size = vocabulary_size
        self._num_cue_tokens = len(tokenizer.encode_text(spec.cue))

    async def start(self) -> None:
        """Raises `SamplerUnavailable` where no critique can be drawn for anyone now."""
        await self._sampler.start()

    def room(self, num_prompt_tokens: int, limit: int) -> int:
        """Tokens that a critique may have, so that it stays within `limit` with its prompt and a cue behind it.

        Raises `InputTooLong` where there is not even one.
        """
        room = limit - num_prompt_tokens - self._num_cue_tokens
        if room < 1:
            raise InputTooLong(num_prompt_tokens + self._num_cue_tokens + 1, limit)
        return min(self.spec.max_tokens, room)

    async def draw(self, prompt: RenderedInput, max_tokens: int) -> Drawn:
        """The critiques of one prompt; when the caller goes away the sampler stops too.

        One that fails leaves the others. Raises `BackendFailed`, or the sampler's `ItemError`, where none was drawn.
        """
        critiques = await self._sample(prompt, max_tokens)
        return await asyncio.to_thread(self._readable, prompt, critiques)

    async def _sample(self, prompt: RenderedInput, max_tokens: int) -> list[SampledCandidate]:
        started, generator = time.perf_counter(), self._sampler.state().name
        options = SamplingOptions(
            n=self.spec.samples,
            temperature=self.spec.sampling_temperature,
            top_p=1.0,
            max_tokens=max_tokens,
            stop=self.spec.stop,
            seed=critique_seed(prompt.token_ids),
        )
        found: list[SampledCandidate] = []
        try:
            async with aclosing(self._sampler.sample(Prompt((), prompt.token_ids), options)) as stream:  # type: ignore[type-var]
                async for critique in stream:
                    found.append(critique)  # noqa: PERF401  those before a failure are kept
        except Exception as cause:
            self._telemetry.sampler_failed(generator)
            reason = cause.message if isinstance(cause, SurefootError) else type(cause).__name__
            log.warning("generator %s: %d of %d critiques were drawn: %s", generator, len(found), options.n, reason)
            if not found:
                raise cause if isinstance(cause, ItemError) else _undrawn(reason) from cause
        num_tokens = sum(critique.num_tokens for critique in found)
        self._telemetry.candidates_sampled(generator, len(found), num_tokens, time.perf_counter() - started)
        return sorted(found, key=lambda critique: critique.index)

    def _readable(self, prompt: RenderedInput, critiques: Sequence[SampledCandidate]) -> Drawn:
        inputs: list[RenderedInput] = []
        failures: list[ItemError] = []
        for critique in critiques:
            try:
                self._check_tokens(critique)
                inputs.append(verdict_input(self.spec, prompt.token_ids, critique.token_ids, self._tokenizer))
            except ItemError as error:
                failures.append(error)
        return Drawn(tuple(inputs), tuple(failures))

    def _check_tokens(self, critique: SampledCandidate) -> None:
        # An id beyond the embedding would take a GPU's whole process down.
        if any(token >= self._vocabulary_size for token in critique.token_ids):
            raise BackendFailed("the generator gave tokens that this model does not have: it runs another model")
        if critique.text and not critique.token_ids:
            raise BackendFailed("the generator gave a critique without its token ids")


def _undrawn(reason: str) -> BackendFailed:
    return BackendFailed(f"no critique could be drawn: {reason}")

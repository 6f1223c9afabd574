"""Sampling from any OpenAI-compatible server: vLLM, SGLang, llama.cpp and others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import httpx

from surefoot.domain import Message, Prompt, SampledCandidate, SamplerState, SamplingOptions
from surefoot.errors import InvalidRequest, SamplerUnavailable
from surefoot.remote_server import RemoteServer
from surefoot.sampling.openai_transport import OpenAITransport, RequestRefused
from surefoot.sampling.openai_wire import (
    DIALECTS,
    Offer,
    RemoteApi,
    candidate_of,
    read_drawn,
    read_model_names,
    read_tokens,
    request_body,
    tokenize_bodies,
)

log = logging.getLogger(__name__)

_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class RemotePolicy:
    """What is asked of a server: its name for the model, which of its two APIs, and what it offers beyond text."""

    model: str
    api: RemoteApi = "chat"
    offer: Offer = field(default_factory=Offer)


class OpenAISampler:
    """Draws candidates from a server, one request each, so that each is known the moment it ends.

    The server renders conversations itself: whether text in a message can forge a turn is decided there.
    """

    def __init__(
        self,
        name: str,
        policy: RemotePolicy,
        server: RemoteServer,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._name = name
        self._policy = policy
        self._transport = OpenAITransport(server, transport=transport)
        self._state: Literal["idle", "ready", "failed"] = "idle"
        self._detail = "asked on first use"
        self._is_closed = False

    @property
    def fingerprint(self) -> str | None:
        """Always `None`: which weights a server runs behind a name, nobody outside can tell."""
        return None

    def state(self) -> SamplerState:
        return SamplerState(self._name, "openai", self._state, self._detail)

    async def start(self) -> None:
        """Ask the server for its models, unless it has been well since. Raises `SamplerUnavailable` within seconds; the
        next use asks again."""
        if self._is_closed:
            raise SamplerUnavailable("the generator was closed")
        if self._state == "ready":
            return
        try:
            self._check_model(read_model_names(await self._transport.probe()))
        except SamplerUnavailable as error:
            self._failed(error)
            raise
        self._state, self._detail = "ready", ""

    def _check_model(self, names: tuple[str, ...]) -> None:
        if self._policy.model not in names:
            shown = ", ".join(names[:_NAMES_SHOWN]) or "none"
            raise SamplerUnavailable(f"the server has no model named {self._policy.model}; it has: {shown}")

    def _failed(self, error: SamplerUnavailable) -> None:
        if self._state != "failed":
            log.warning("generator %s failed: %s", self._name, error.message)
        self._state, self._detail = "failed", error.message

    async def encode_prompt(self, messages: Sequence[Message], *, beginning: str = "") -> Prompt:
        """With vLLM's extensions the server's own tokens, elsewhere none. Raises `InvalidRequest` for a beginning that
        a server without them cannot be told."""
        prompt = Prompt(tuple(messages), beginning=beginning)
        if beginning and not self._policy.offer.extensions:
            raise InvalidRequest(
                "this generator's server cannot go on from a beginning: leave beginning out, or name a generator in "
                "this process or one behind vLLM with remote_generators.extensions = true",
                param="beginning",
            )
        await self.start()
        if not self._policy.offer.extensions:
            return prompt
        token_ids: list[int] = []
        for body in tokenize_bodies(self._policy.api, self._policy.model, prompt):
            token_ids += read_tokens(await self._post("/tokenize", body))
        return replace(prompt, token_ids=tuple(token_ids))

    async def sample(self, prompt: Prompt, options: SamplingOptions) -> AsyncIterator[SampledCandidate]:
        """Candidates as they finish. Closing the iterator, or cancelling its task, closes the connections of those that
        are still being drawn, on which a server stops drawing them."""
        await self.start()
        tasks = [asyncio.create_task(self._draw(prompt, options, index)) for index in range(options.n)]
        try:
            for finished in asyncio.as_completed(tasks):
                yield await finished
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _draw(self, prompt: Prompt, options: SamplingOptions, index: int) -> SampledCandidate:
        policy = self._policy
        body = request_body(policy.api, policy.model, prompt, options, index, policy.offer)
        drawn = read_drawn(policy.api, await self._post(DIALECTS[policy.api].path, body))
        return candidate_of(index, drawn, with_logprobs=options.logprobs)

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        try:
            return await self._transport.post(path, body)
        except RequestRefused:
            raise
        except SamplerUnavailable as error:
            self._failed(error)
            raise

    async def close(self) -> None:
        self._is_closed = True
        self._state, self._detail = "idle", "closed"
        await self._transport.close()

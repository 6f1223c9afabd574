"""HTTP to one OpenAI-compatible server: limits, retries, and what its failures mean.

No message here holds a key, a prompt or anything that the server wrote: its errors may quote the prompt.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from surefoot.errors import InvalidRequest, SamplerUnavailable
from surefoot.remote_server import RETRIED_FAILURES, RETRIED_STATUS, RemoteServer, failure_reason, retry_delay_s
from surefoot.request_context import trace_headers

log = logging.getLogger(__name__)

_CONTEXT_WORDS = ("context length", "context size", "context_length", "context_size", "context window", "max_model_len")


class RequestRefused(SamplerUnavailable):
    """The server would not serve this request; the server itself is well."""


class OpenAITransport:
    """One pool of connections to one server. Cancelling a call closes its connection, so that the server stops too."""

    def __init__(
        self,
        server: RemoteServer,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._server = server
        self._jitter = jitter
        # Waiting for a place counts towards no time limit, so that a long queue here is not taken for a slow server.
        self._places = asyncio.Semaphore(server.max_concurrent)
        self._http = httpx.AsyncClient(
            headers={} if server.api_key is None else {"authorization": f"Bearer {server.api_key}"},
            timeout=httpx.Timeout(server.timeout_s, connect=server.connect_timeout_s),
            limits=httpx.Limits(max_connections=server.max_concurrent + 1),
            transport=transport,
            # Proxies and .netrc would come from the environment, where nobody looks for them.
            trust_env=False,
        )

    async def probe(self) -> Any:
        """The answer of `GET /v1/models`, without retries. Raises `SamplerUnavailable` soon when nobody answers."""
        try:
            async with asyncio.timeout(2 * self._server.connect_timeout_s):
                return self._read(await self._http.get(f"{self._server.base}/v1/models"))
        except TimeoutError as cause:
            raise self._unavailable("did not answer in time") from cause
        except httpx.TransportError as cause:
            raise self._unavailable(failure_reason(cause)) from cause

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON answer to `body`. Raises `InvalidRequest` where the policy's context is too short for it, and
        `SamplerUnavailable` for every other failure that is left after the retries."""
        async with self._places:
            try:
                async with asyncio.timeout(self._server.timeout_s):
                    return self._read(await self._send(f"{self._server.base}{path}", body))
            except TimeoutError as cause:
                raise self._unavailable(f"gave no answer within {self._server.timeout_s:g} s") from cause
            except httpx.TransportError as cause:
                raise self._unavailable(failure_reason(cause)) from cause

    async def _send(self, url: str, body: dict[str, Any]) -> httpx.Response:
        """The last response, tried again where that may help and ends within the time limit."""
        deadline = time.monotonic() + self._server.timeout_s
        for attempt in itertools.count():
            outcome = await self._try(url, body)
            if isinstance(outcome, httpx.Response):
                if outcome.status_code not in RETRIED_STATUS:
                    return outcome
                reason, retry_after = f"answered {outcome.status_code}", outcome.headers.get("retry-after")
            else:
                reason, retry_after = failure_reason(outcome), None
            delay_s = retry_delay_s(attempt, retry_after, jitter=self._jitter(), now=datetime.now(UTC))
            if attempt == self._server.max_retries or time.monotonic() + delay_s >= deadline:
                break
            log.warning("the generator at %s %s; trying again in %.1f s", self._server.address, reason, delay_s)
            await asyncio.sleep(delay_s)
        if isinstance(outcome, httpx.Response):
            return outcome
        raise outcome

    async def _try(self, url: str, body: dict[str, Any]) -> httpx.Response | httpx.TransportError:
        """A response, or a failure that may pass."""
        try:
            return await self._http.post(url, json=body, headers=dict(trace_headers()))
        except RETRIED_FAILURES as cause:
            return cause

    def _read(self, response: httpx.Response) -> Any:
        status = response.status_code
        if status == 200:
            try:
                return json.loads(response.content)
            except ValueError as cause:
                raise self._unavailable("answered 200 with a body that is not JSON") from cause
        if status in (401, 403):
            raise self._unavailable(f"answered {status}: check the key that api_key_env names")
        if status == 404:
            raise self._unavailable("answered 404: check url and model")
        if status in (400, 422) and any(word in response.text.lower() for word in _CONTEXT_WORDS):
            raise InvalidRequest("prompt and max_tokens together exceed the generator's context", param="max_tokens")
        if status == 429:
            raise RequestRefused(self._said("answered 429: it has no room now"))
        if 400 <= status < 500:
            raise RequestRefused(self._said(f"answered {status}: the request has something that it does not serve"))
        raise self._unavailable(f"answered {status}")

    def _unavailable(self, reason: str) -> SamplerUnavailable:
        return SamplerUnavailable(self._said(reason))

    def _said(self, reason: str) -> str:
        return f"the generator at {self._server.address} {reason}"

    async def close(self) -> None:
        await self._http.aclose()

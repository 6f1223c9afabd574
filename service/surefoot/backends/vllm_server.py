"""Scoring by a running vLLM server: token ids go to its POST /pooling as they are, raw values come back.

Nothing is tokenised again there, and no activation is applied. What the server itself decides cannot be seen from
here: which words a contrast reads and in which order. Golden values in the profile hold it to its reference.
"""

from __future__ import annotations

import itertools
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from surefoot.backends.vllm_plan import PoolingMode, row_indices
from surefoot.domain import Forwarded, ForwardItem, Rows
from surefoot.errors import BackendFailed, SettingsInvalid
from surefoot.remote_server import RETRIED_FAILURES, RETRIED_STATUS, RemoteServer, failure_reason, retry_delay_s

log = logging.getLogger(__name__)

_POOL_ALL = """--runner pooling --pooler-config '{"task": "token_classify", "tok_pooling_type": "ALL"}'"""
_SUM_TOLERANCE = 1e-3
"""Probabilities of a half-precision softmax sum to one within this."""

Table = list[list[float]]
"""The rows of one input, one column per output of the head."""


@dataclass(frozen=True, slots=True)
class ServedByVllm:
    """What a server says of its model; `max_input_tokens` is its `max_model_len`."""

    id: str
    root: str
    max_input_tokens: int
    version: str


class PoolingServer:
    """HTTP to one vLLM server, from one thread. A failure that may pass is tried again: pooling changes nothing there.

    Every method raises `BackendFailed`, whose message names the server and the reason.
    """

    def __init__(
        self,
        server: RemoteServer,
        *,
        transport: httpx.BaseTransport | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._server = server
        self._jitter = jitter
        self._closing = threading.Event()
        self._http = httpx.Client(
            headers={} if server.api_key is None else {"authorization": f"Bearer {server.api_key}"},
            timeout=httpx.Timeout(server.timeout_s, connect=server.connect_timeout_s),
            transport=transport,
            # Proxies and .netrc would come from the environment, where nobody looks for them.
            trust_env=False,
        )

    def model(self) -> ServedByVllm:
        """The server's own model, adapters on it apart."""
        answer = self._ask("GET", "/v1/models")
        version = self._ask("GET", "/version")
        try:
            found = next(entry for entry in answer["data"] if entry.get("parent") is None)
            return ServedByVllm(
                str(found["id"]), str(found["root"]), int(found["max_model_len"]), str(version["version"])
            )
        except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as cause:
            raise self._failed("answers /v1/models or /version as no vLLM does") from cause

    def pool(self, model: str, inputs: Sequence[Sequence[int]]) -> list[Table]:
        """The raw rows of each input, in order: one per token, or one in all where the server pools the last token."""
        body = {
            "model": model,
            "input": [list(token_ids) for token_ids in inputs],
            "encoding_format": "float",
            "use_activation": False,
        }
        answer = self._ask("POST", "/pooling", body)
        try:
            found = {int(entry["index"]): _table(entry["data"]) for entry in answer["data"]}
            return [found[index] for index in range(len(inputs))]
        except (KeyError, TypeError, ValueError) as cause:
            raise self._failed("answered with something else than one list of rows per input") from cause

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        response = self._send(method, f"{self._server.base}{path}", body)
        if response.status_code != 200:
            raise self._failed(f"answered {response.status_code} to {path}")
        try:
            return json.loads(response.content)
        except ValueError as cause:
            raise self._failed("answered 200 with a body that is not JSON") from cause

    def _send(self, method: str, url: str, body: dict[str, Any] | None) -> httpx.Response:
        """The last response, tried again where that may help and ends within the time limit."""
        deadline = time.monotonic() + self._server.timeout_s
        for attempt in itertools.count():
            response, reason, retry_after = self._try(method, url, body, deadline)
            if response is not None and response.status_code not in RETRIED_STATUS:
                return response
            delay_s = retry_delay_s(attempt, retry_after, jitter=self._jitter(), now=datetime.now(UTC))
            if attempt == self._server.max_retries or time.monotonic() + delay_s >= deadline:
                break
            log.warning("the vLLM server at %s %s; trying again in %.1f s", self._server.address, reason, delay_s)
            if self._closing.wait(delay_s):
                break
        raise self._failed(reason)

    def _try(
        self, method: str, url: str, body: dict[str, Any] | None, deadline: float
    ) -> tuple[httpx.Response | None, str, str | None]:
        """A response, or what stands for it, with the reason to try again and the server's Retry-After."""
        left_s = max(deadline - time.monotonic(), 0.001)
        timeout = httpx.Timeout(left_s, connect=min(self._server.connect_timeout_s, left_s))
        try:
            response = self._http.request(method, url, json=body, timeout=timeout)
        except RETRIED_FAILURES as cause:
            return None, failure_reason(cause), None
        except httpx.TransportError as cause:
            raise self._failed(failure_reason(cause)) from cause
        return response, f"answered {response.status_code}", response.headers.get("retry-after")

    def _failed(self, reason: str) -> BackendFailed:
        return BackendFailed(f"the vLLM server at {self._server.address} {reason}")

    def close(self) -> None:
        """Ends a wait between two attempts; an answer that is under way is waited for within its time limit."""
        self._closing.set()
        self._http.close()


class VllmServerBackend:
    """Reads raw values through a `PoolingServer`, a batch by one request."""

    def __init__(
        self,
        name: str,
        server: PoolingServer,
        *,
        model: str,
        mode: PoolingMode,
        num_columns: int,
        max_input_tokens: int,
    ) -> None:
        self._name = name
        self._server = server
        self._model = model
        self._mode: PoolingMode = mode
        self._num_columns = num_columns
        self._max_input_tokens = max_input_tokens

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_input_tokens(self) -> int:
        return self._max_input_tokens

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        tables = self._server.pool(self._model, [item.rendered.token_ids for item in batch])
        return [Forwarded(self._rows(item, table)) for item, table in zip(batch, tables, strict=True)]

    def _rows(self, item: ForwardItem, table: Table) -> Rows:
        rows = tuple(tuple(table[index]) for index in row_indices(self._mode, len(table), item.rendered))
        if any(len(row) != self._num_columns for row in rows):
            raise BackendFailed(f"the vLLM server no longer gives {self._num_columns} values at a position")
        return rows

    def close(self) -> None:
        self._server.close()


def pooling_mode(table: Table, *, num_tokens: int, num_columns: int, reads_last: bool) -> PoolingMode:
    """How a server pools, from the rows that it gave for an input of `num_tokens` (two or more).

    Raises `SettingsInvalid`, with the option to start the server with, where its rows cannot be what a profile reads:
    `num_columns` raw values for each token, or for the last one alone where nothing else is read (`reads_last`).
    """
    if len(table) not in (1, num_tokens):
        raise _unfit(f"gives {len(table)} rows for {num_tokens} tokens (step pooling, perhaps)", _POOL_ALL)
    if len(table) == 1 and not reads_last:
        raise _unfit("gives the last token's values alone, and this profile reads others too", _POOL_ALL)
    widths = {len(row) for row in table}
    if widths != {num_columns}:
        raise _unfit(
            f"gives {'/'.join(map(str, sorted(widths)))} values at a position and the profile reads {num_columns}",
            "the checkpoint and the conversion that this profile is for (docs/profiles.md)",
        )
    if num_columns > 1 and all(min(row) >= 0 and abs(sum(row) - 1) < _SUM_TOLERANCE for row in table):
        raise _unfit("gives probabilities although it was asked for raw values", "a vLLM that knows use_activation")
    return "last_token" if len(table) == 1 else "each_token"


def _table(data: list[Any]) -> Table:
    """Rows as floats; what pools one token only comes as that row alone."""
    rows = data if all(isinstance(row, list) for row in data) else [data]
    return [[float(value) for value in row] for row in rows]


def _unfit(what: str, start_with: str) -> SettingsInvalid:
    return SettingsInvalid(f"the vLLM server {what}; start it with {start_with}", param="url")

"""The blocking client."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TypeVar

import httpx

from surefoot_client import operations
from surefoot_client.best_of_n_streaming import BestOfNStreaming
from surefoot_client.bulk_scoring import BulkScoring
from surefoot_client.calls import Call, Reply
from surefoot_client.environment import key_from_environment
from surefoot_client.exchange import Answer, Attempt, begin
from surefoot_client.inputs import Aggregation, Priority, ScoreItem, Strategy
from surefoot_client.probes import Probes
from surefoot_client.rankings import Ranking
from surefoot_client.sampling import Sampling
from surefoot_client.scores import ItemFailure, ScoreResponse
from surefoot_client.selections import SelectResponse
from surefoot_client.settings import Settings

T = TypeVar("T")
Self = TypeVar("Self", bound="SurefootClient")


class SurefootClient(BulkScoring, Sampling, BestOfNStreaming, Probes):
    """Calls a surefoot server and blocks until the answer is there. Safe to share between threads.

    `base_url` may list several servers that serve the same models. A call goes to the server of its (first) problem,
    so that its cache knows it, spills over to the next one when that one is overloaded, and fails over when it is ill;
    `servers` tells how they are. All get the same `api_key`.

    `timeout_s` (`sampling_timeout_s` for `sample` and best of N) is the whole time of a call in seconds, attempts
    and pauses together. Up to `max_retries` further attempts follow 429, 502, 503 and broken connections; for the
    sampling calls only 429, 503 and connections that never came about. With `attempt_timeout_s` a scoring attempt ends
    after that much silence, and is tried again too. At most `max_connections` are open, and further calls wait for
    one; with `http2` they speak HTTP/2 with https servers that do, which needs the extra of that name.
    `gzip` packs request bodies of a kilobyte and more; packed answers are read in any case.

    `api_key` is sent as a bearer token; without it that of the variable `SUREFOOT_API_KEY` is, where it is set.
    `transport` is an httpx transport, `http_client` a whole httpx client that stays the caller's to close. `sleep`,
    `clock` and `uniform` exist for tests.

    Every method raises a `SurefootError`; arguments that cannot be sent raise `ValueError` or `TypeError`.
    """

    def __init__(
        self,
        base_url: str | Sequence[str] = "http://127.0.0.1:8080",
        *,
        api_key: str | None = None,
        timeout_s: float = 60.0,
        sampling_timeout_s: float = 600.0,
        connect_timeout_s: float = 5.0,
        attempt_timeout_s: float | None = None,
        max_retries: int = 2,
        max_connections: int = 50,
        http2: bool = False,
        gzip: bool = False,
        transport: httpx.BaseTransport | None = None,
        http_client: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        if transport is not None and http_client is not None:
            raise ValueError("give transport or http_client, not both")
        self._settings = Settings(
            base_url=base_url,
            api_key=key_from_environment() if api_key is None else api_key,
            timeout_s=timeout_s,
            sampling_timeout_s=sampling_timeout_s,
            connect_timeout_s=connect_timeout_s,
            attempt_timeout_s=attempt_timeout_s,
            max_retries=max_retries,
            max_connections=max_connections,
            gzip=gzip,
            clock=clock,
            uniform=uniform,
        )
        self._http = http_client or httpx.Client(transport=transport, limits=self._settings.limits, http2=http2)
        self._owns_http = http_client is None
        self._sleep = sleep

    def score(
        self,
        items: Sequence[ScoreItem | Mapping[str, object]],
        *,
        model: str | None = None,
        aggregation: Aggregation | None = None,
        threshold: float | None = None,
        timeout_s: float | None = None,
        priority: Priority | None = None,
        trace: bool | None = None,
        checks: Sequence[str] | None = None,
        combine_checks: bool | None = None,
        rewards: Mapping[str, object] | None = None,
    ) -> ScoreResponse:
        """Score solutions; `results[i]` belongs to `items[i]`, an `ItemFailure` where that item failed.

        `timeout_s` is the server's deadline for the request; the client waits a little longer for its answer.
        `rewards={"cap": (0.01, 0.99), "scaling": "group"}` asks for capped and scaled scores as `reward`.
        """
        return self._run(
            operations.score(
                items,
                model=model,
                aggregation=aggregation,
                threshold=threshold,
                timeout_s=timeout_s,
                priority=priority,
                trace=trace,
                checks=checks,
                combine_checks=combine_checks,
                rewards=rewards,
            )
        )

    def rerank(
        self,
        problem: str,
        candidates: Sequence[str | Mapping[str, object]],
        *,
        strategy: Strategy | None = None,
        model: str | None = None,
        outcome_model: str | None = None,
        aggregation: Aggregation | None = None,
        threshold: float | None = None,
        top_n: int | None = None,
        return_documents: bool | None = None,
        tie_seed: int | None = None,
        abstain_below: float | None = None,
        timeout_s: float | None = None,
        priority: Priority | None = None,
    ) -> Ranking:
        """Rank the candidates of one problem, best first; raises an `ItemError` when the problem cannot be ranked."""
        return self._run(
            operations.rerank(
                problem,
                candidates,
                strategy=strategy,
                model=model,
                outcome_model=outcome_model,
                aggregation=aggregation,
                threshold=threshold,
                top_n=top_n,
                return_documents=return_documents,
                tie_seed=tie_seed,
                abstain_below=abstain_below,
                timeout_s=timeout_s,
                priority=priority,
            )
        )

    def rerank_groups(
        self,
        groups: Sequence[Mapping[str, object]],
        *,
        strategy: Strategy | None = None,
        model: str | None = None,
        outcome_model: str | None = None,
        aggregation: Aggregation | None = None,
        threshold: float | None = None,
        top_n: int | None = None,
        return_documents: bool | None = None,
        tie_seed: int | None = None,
        abstain_below: float | None = None,
        timeout_s: float | None = None,
        priority: Priority | None = None,
    ) -> list[Ranking | ItemFailure]:
        """Rank several problems in one request; each group is `{"problem": …, "candidates": […]}`.

        Entry i belongs to `groups[i]`; `raise_for_failures(...)` of it leaves only rankings.
        """
        return self._run(
            operations.rerank_groups(
                groups,
                strategy=strategy,
                model=model,
                outcome_model=outcome_model,
                aggregation=aggregation,
                threshold=threshold,
                top_n=top_n,
                return_documents=return_documents,
                tie_seed=tie_seed,
                abstain_below=abstain_below,
                timeout_s=timeout_s,
                priority=priority,
            )
        )

    def select(
        self,
        items: Sequence[Mapping[str, object]],
        *,
        top_k: int,
        wrong_fraction: float | None = None,
        model: str | None = None,
        aggregation: Aggregation | None = None,
        timeout_s: float | None = None,
        priority: Priority | None = None,
    ) -> SelectResponse:
        """Choose `top_k` candidates of each item for labelling; `results[i]` belongs to `items[i]`.

        An item is `{"problem": …, "answer": …, "candidates": […]}`; a `wrong_fraction` (the server's default is 0.8) of
        the choices are the highest-scored candidates with another answer than the item's.
        """
        return self._run(
            operations.select(
                items,
                top_k=top_k,
                wrong_fraction=wrong_fraction,
                model=model,
                aggregation=aggregation,
                timeout_s=timeout_s,
                priority=priority,
            )
        )

    def close(self) -> None:
        """Close the connections; an `http_client` that was handed in stays open."""
        if self._owns_http:
            self._http.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, call: Call[T], pause: Callable[[float], None] | None = None) -> T:
        step: Attempt[T] | Answer[T] = begin(call, self._settings)
        while isinstance(step, Attempt):
            if step.pause_s:
                (pause or self._sleep)(step.pause_s)
            step = step.after(self._send(step))
        return step.value

    def _send(self, attempt: Attempt[T]) -> Reply | httpx.RequestError:
        try:
            with self._open(attempt) as response:
                return self._whole(attempt, response)
        except httpx.RequestError as failure:
            return failure

    @contextmanager
    def _open(self, attempt: Attempt[T]) -> Iterator[httpx.Response]:
        call, headers, timeout = attempt.call, attempt.headers, attempt.timeout()
        sent = self._http.stream(call.method, attempt.url, headers=headers, content=attempt.body, timeout=timeout)
        with attempt.under_way(), sent as response:
            yield response

    def _whole(self, attempt: Attempt[T], response: httpx.Response) -> Reply:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            attempt.check_time()
        return Reply(response.status_code, response.headers, bytes(body))

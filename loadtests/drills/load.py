"""Requests at an even rate for as long as a drill lasts, and items through the client."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from loadtests.traffic.arrivals import Arrival
from loadtests.traffic.generator import ask, open_session
from loadtests.traffic.outcomes import Counts, Outcome, counted_units
from loadtests.traffic.requests import Bodies
from surefoot_client import ItemFailure, ItemResult, ScoreItem, SurefootClient

PATIENCE_S = 60.0
_numbers = itertools.count(0, 1_000_000)


def until(condition: Callable[[], bool], said: str, *, within_s: float = PATIENCE_S) -> None:
    """Wait for it. Raises `TimeoutError`, which says what never came about."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:g} s: {said}")
        time.sleep(0.05)


class Load:
    """Sends requests of a kind, `rate` a second, between entering and leaving; then `outcomes` has all of them."""

    def __init__(self, url: str, rate: float, kind: str = "interactive") -> None:
        self.outcomes: list[Outcome] = []
        self._url, self._rate, self._kind = url, rate, kind
        self._first = next(_numbers)
        self._stopped = threading.Event()
        self._began = time.perf_counter()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send()), name=f"load {kind}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def num(self, fate: str, since: int = 0) -> int:
        """How many of those that ended, but for the first `since`, ended so."""
        return sum(outcome.fate == fate for outcome in self.outcomes[since:])

    def until_answered(self, more: int = 3, *, within_s: float = PATIENCE_S) -> None:
        """Until so many more are answered with scores."""
        wanted = self.num("answered") + more
        said = f"{more} more {self._kind} requests answered"
        until(lambda: self.num("answered") >= wanted, said, within_s=within_s)

    async def _send(self) -> None:
        bodies, running = Bodies(self._first), set()
        async with open_session() as session:
            for count in itertools.count():
                due_s = count / self._rate
                if (early_s := due_s - self._clock()) > 0:
                    await asyncio.sleep(early_s)
                if self._stopped.is_set():
                    break
                number = self._first + count
                arrival = Arrival(due_s, self._kind)
                body = bodies.body(self._kind, number)
                task = asyncio.create_task(ask(session, self._url, arrival, number, body, self._clock))
                running.add(task)
                task.add_done_callback(running.discard)
                task.add_done_callback(lambda done: self.outcomes.append(done.result()))
            await asyncio.gather(*running)
            await asyncio.sleep(0)

    def _clock(self) -> float:
        return time.perf_counter() - self._began


class ClientRun:
    """So many items through `score_iter` of the client, in a thread, in batches; each must come back once."""

    def __init__(self, urls: Sequence[str], num_items: int, *, batch_size: int = 10, **settings: float) -> None:
        self._urls, self._num_items, self._batch_size = list(urls), num_items, batch_size
        self._settings = {"max_retries": 40, "timeout_s": 120.0, "connect_timeout_s": 1.0, **settings}
        self.settled: list[int] = []
        self.num_failed = 0
        self._pool = ThreadPoolExecutor(1)

    def start(self) -> Future[None]:
        """Begin; the future is done when all have come back."""
        return self._pool.submit(self._run)

    def until_settled(self, share: float) -> None:
        """Until that share has come back."""
        until(lambda: len(self.settled) >= share * self._num_items, f"{share:.0%} of the items settled")

    def counts(self) -> Counts:
        """Of the items."""
        return counted_units(self._num_items, self.settled, failed=self.num_failed)

    def _run(self) -> None:
        salt = f"{time.time_ns()}"
        items = (
            ScoreItem(
                f"[{salt}] problem {number // 4}", steps=[f"step of {number}", "The answer is 5."], id=f"{number}"
            )
            for number in range(self._num_items)
        )
        with SurefootClient(self._urls, **self._settings) as client:  # type: ignore[arg-type]
            for outcome in client.score_iter(
                items, batch_size=self._batch_size, max_concurrent=4, on_error="mark", priority="bulk"
            ):
                # An answer that belongs to another item is none to this one.
                self.settled.append(int(outcome.id) if outcome.id is not None else -1)
                self.num_failed += isinstance(outcome, ItemFailure)
                if isinstance(outcome, ItemResult) and len(outcome.steps or ()) != 2:
                    self.settled[-1] = -1

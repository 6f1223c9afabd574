"""One call of a backend, made safe for the loop that waits for it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass

from surefoot.domain import Forwarded, ForwardItem
from surefoot.errors import BackendFailed, ItemError, StepCountMismatch
from surefoot.ports import Backend


@dataclass(frozen=True, slots=True)
class ForwardPass:
    """What one call gave: `results`, or the `failure` that it raised. Times are seconds on the scheduler's clock."""

    items: tuple[ForwardItem, ...]
    results: tuple[Forwarded, ...]
    failure: BaseException | None
    started_at: float
    forward_s: float

    @property
    def num_tokens(self) -> int:
        return sum(item.rendered.num_tokens for item in self.items)

    @property
    def is_attributable(self) -> bool:
        """Whether each result belongs to a known item. With one missing, nobody knows whose it was."""
        return self.failure is None and len(self.results) == len(self.items)


def run_pass(backend: Backend, items: tuple[ForwardItem, ...], clock: Callable[[], float]) -> ForwardPass:
    """Call the backend; whatever it raises becomes a value. Meant for the thread that blocks on it.

    Raised through a thread pool, a StopIteration would be lost and a CancelledError would stop the waiting loop.
    """
    started_at = clock()
    results: tuple[Forwarded, ...] = ()
    failure: BaseException | None = None
    try:
        results = tuple(Forwarded(tuple(each.rows), each.cached_tokens) for each in backend.forward(items))
    except BaseException as raised:  # noqa: BLE001 (see above: it is reported by the loop, not swallowed)
        failure = raised
        _release_locals(raised)
    return ForwardPass(items, results, failure, started_at, clock() - started_at)


def checked_results(forward_pass: ForwardPass, model: str) -> list[Forwarded | ItemError]:
    """What each item got, or its error: `BackendFailed` after a failure, `StepCountMismatch` on wrong counts."""
    items = forward_pass.items
    if forward_pass.failure is not None:
        return [_backend_failed(forward_pass.failure, model) for _ in items]
    if not forward_pass.is_attributable:
        num_rows = sum(len(result.rows) for result in forward_pass.results)
        return [StepCountMismatch(len(item.rendered.readout_positions), num_rows) for item in items]
    return [_matched(item, result) for item, result in zip(items, forward_pass.results, strict=True)]


def _matched(item: ForwardItem, result: Forwarded) -> Forwarded | StepCountMismatch:
    expected, found = len(item.rendered.readout_positions), len(result.rows)
    return result if found == expected else StepCountMismatch(expected, found)


def _backend_failed(cause: BaseException, model: str) -> BackendFailed:
    # The cause's own message may quote its input, so only its class is told.
    error = BackendFailed(f"model {model} failed on this item ({type(cause).__name__}); see the server's log")
    error.__cause__ = cause
    return error


def _release_locals(failure: BaseException | None) -> None:
    """Empty the traceback's frames: their tensors would keep memory that the retry of an out-of-memory pass needs."""
    seen: set[int] = set()
    while failure is not None and id(failure) not in seen:
        seen.add(id(failure))
        traceback.clear_frames(failure.__traceback__)
        failure = failure.__cause__ or failure.__context__

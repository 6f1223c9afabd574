import asyncio
import gc
import weakref
from collections.abc import Callable, Sequence

import pytest

from forwarded import with_rows
from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import Forwarded, ForwardItem, Rows
from surefoot.errors import BackendFailed, StepCountMismatch
from surefoot.scheduling.forward_pass import checked_results, run_pass


class CountingClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.5
        return self.now


class ReshapedBackend(FakeBackend):
    """A backend whose answer is bent by `reshape`."""

    def __init__(self, reshape: Callable[[list[Forwarded]], object]) -> None:
        super().__init__()
        self._reshape = reshape

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        return self._reshape(super().forward(batch))  # type: ignore[return-value]


def test_rows_come_back_per_item(item: Callable[..., ForwardItem]) -> None:
    items = (item(5), item(6, readouts=3))
    results = checked_results(run_pass(FakeBackend(), items, CountingClock()), "prm")
    assert results == FakeBackend().forward(items)


def test_the_pass_times_the_call(item: Callable[..., ForwardItem]) -> None:
    forward_pass = run_pass(FakeBackend(), (item(),), CountingClock())
    assert (forward_pass.started_at, forward_pass.forward_s) == (1.5, 1.5)


@pytest.mark.parametrize("failure", [RuntimeError("x"), StopIteration(), asyncio.CancelledError(), SystemExit(1)])
def test_whatever_the_backend_raises_becomes_a_value(failure: BaseException, item: Callable[..., ForwardItem]) -> None:
    backend = FakeBackend()
    backend.fail_next(failure)
    assert run_pass(backend, (item(),), CountingClock()).failure is failure


def test_a_failure_keeps_its_cause_and_hides_its_text(item: Callable[..., ForwardItem]) -> None:
    backend = FakeBackend()
    backend.fail_next(ValueError("the user's secret"))
    [error] = checked_results(run_pass(backend, (item(),), CountingClock()), "prm")
    assert isinstance(error, BackendFailed)
    assert isinstance(error.__cause__, ValueError)
    assert "secret" not in error.message


def test_a_failure_holds_no_memory_of_its_frames(item: Callable[..., ForwardItem]) -> None:
    class Activations:
        pass

    alive: list[weakref.ref[Activations]] = []

    def explode(rows: list[Forwarded]) -> object:
        activations = Activations()
        alive.append(weakref.ref(activations))
        raise MemoryError

    forward_pass = run_pass(ReshapedBackend(explode), (item(),), CountingClock())
    gc.collect()
    assert forward_pass.failure is not None
    assert alive[0]() is None


@pytest.mark.parametrize("answer", [None, [None], [1.0]])
def test_an_answer_that_is_no_list_of_rows_is_a_failure(answer: object, item: Callable[..., ForwardItem]) -> None:
    forward_pass = run_pass(ReshapedBackend(lambda _: answer), (item(),), CountingClock())
    assert isinstance(forward_pass.failure, (TypeError, AttributeError))


@pytest.mark.parametrize("reshape", [lambda rows: rows[:-1], lambda rows: [*rows, rows[0]]])
def test_a_wrong_number_of_results_belongs_to_nobody(
    reshape: Callable[[list[Forwarded]], object], item: Callable[..., ForwardItem]
) -> None:
    assert not run_pass(ReshapedBackend(reshape), (item(), item()), CountingClock()).is_attributable


def test_a_missing_result_alone_counts_as_no_scores(item: Callable[..., ForwardItem]) -> None:
    [error] = checked_results(run_pass(ReshapedBackend(lambda _: []), (item(),), CountingClock()), "prm")
    assert isinstance(error, StepCountMismatch)
    assert error.message == "2 steps but 0 scores"


@pytest.mark.parametrize("cut", [lambda rows: rows[:-1], lambda rows: (*rows, rows[0])])
def test_wrong_rows_fail_their_item_only(cut: Callable[[Rows], Rows], item: Callable[..., ForwardItem]) -> None:
    backend = ReshapedBackend(lambda results: [results[0], *with_rows(results[1:2], cut), results[2]])
    results = checked_results(run_pass(backend, (item(4), item(5), item(6)), CountingClock()), "prm")
    assert [isinstance(result, StepCountMismatch) for result in results] == [False, True, False]

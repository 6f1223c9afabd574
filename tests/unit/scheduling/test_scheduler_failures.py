"""A batch that fails: only what is to blame is lost, and nothing is tried for nobody."""

import logging
from collections.abc import Sequence

import pytest

from forwarded import alone, outcomes
from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import Forwarded, ForwardItem
from surefoot.errors import BackendFailed, DeadlineExceeded, StepCountMismatch
from surefoot.request_context import RequestContext, current_request, within_request


async def test_a_batch_that_fails_once_is_retried_and_served(line, item) -> None:
    line.backend.fail_next()
    results = await outcomes(line.submit(item(4), item(5), item(6)))
    assert [result.rows for result in results] == [alone(item(4)), alone(item(5)), alone(item(6))]


async def test_a_guilty_input_fails_alone(line, item) -> None:
    line.backend.fail_items(lambda each: each.rendered.num_tokens == 5)
    results = await outcomes(line.submit(item(4), item(5), item(6)))
    assert [isinstance(result, BackendFailed) for result in results] == [False, True, False]


async def test_every_input_of_a_failed_batch_is_tried_alone_once(line, item) -> None:
    line.backend.fail_items(lambda _: True)
    await outcomes(line.submit(item(4), item(5)))
    assert [len(batch) for batch in line.backend.batches] == [2, 1, 1]


async def test_an_input_that_failed_alone_is_not_tried_again(line, item) -> None:
    line.backend.fail_next(ValueError("no"))
    [error] = await outcomes(line.submit(item()))
    assert isinstance(error.__cause__, ValueError)
    assert len(line.backend.batches) == 1


async def test_the_line_goes_on_after_a_failure(line, item) -> None:
    line.backend.fail_next()
    await outcomes(line.submit(item()))
    [result] = await outcomes(line.submit(item()))
    assert result.rows == alone(item())


async def test_an_input_cancelled_during_a_failing_pass_is_not_retried(line, item) -> None:
    line.backend.fail_next()
    cancelled, kept = await line.hold_with(item(4), item(5))
    cancelled.cancel()
    line.backend.release()
    await outcomes([kept])
    assert line.backend.batches[1:] == [(item(5),)]


async def test_an_input_that_expires_during_a_failing_pass_is_not_retried(line, item) -> None:
    line.backend.hold()
    line.backend.fail_next()
    futures = line.submit(item(4), timeout_s=30) + line.submit(item(5))
    await line.until(lambda: len(line.backend.batches) == 1)
    line.clock.advance(31)
    line.backend.release()
    results = await outcomes(futures)
    assert isinstance(results[0], DeadlineExceeded)
    assert line.backend.batches[1:] == [(item(5),)]


async def test_a_failed_batch_tells_its_traceback_once(line, item, caplog: pytest.LogCaptureFixture) -> None:
    line.backend.fail_items(lambda _: True)
    with caplog.at_level(logging.ERROR, logger="surefoot"):
        await outcomes(line.submit(item(), item(), item()))
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, False, False, False]


async def test_a_line_that_a_request_started_works_for_no_request(open_line, item) -> None:
    seen: list[RequestContext | None] = []

    class Watching(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(current_request())

    line, log, watching = open_line(), logging.getLogger("surefoot"), Watching()
    with within_request(RequestContext("r-1")):
        await line.scheduler.start()
    line.backend.fail_next(ValueError("no"))
    log.addHandler(watching)
    try:
        await outcomes(line.submit(item()))
    finally:
        log.removeHandler(watching)
    assert seen == [None]


async def test_a_guilty_input_is_found_by_halving(line, item) -> None:
    line.backend.fail_items(lambda each: each == item(5, first_token=3))
    inputs = [item(5, first_token=first) for first in range(8)]
    results = await outcomes(line.submit(*inputs))
    assert [isinstance(result, BackendFailed) for result in results] == [first == 3 for first in range(8)]
    assert [len(batch) for batch in line.backend.batches] == [8, 4, 2, 2, 1, 1, 4]


async def test_a_dropped_result_is_never_taken_for_a_neighbours(open_line, item) -> None:
    class Dropping(FakeBackend):
        def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
            rows = super().forward(batch)
            return [row for row, each in zip(rows, batch, strict=True) if each.rendered.num_tokens != 4]

    line = open_line(Dropping(max_input_tokens=64))
    await line.scheduler.start()
    dropped, served = await outcomes(line.submit(item(4), item(5)))
    assert isinstance(dropped, StepCountMismatch)
    assert served.rows == alone(item(5))

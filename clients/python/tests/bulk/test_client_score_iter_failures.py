"""`score_iter` when something fails: said in its place, or raised after what came before it."""

import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot_client import ConnectionFailed, InternalError, ItemFailure, QueueFull, ScoreItem

REFUSAL = {"error": {"code": "internal_error", "message": "broken", "type": "t", "param": None}}


@pytest.fixture(scope="session")
def failing(answer, numbers):
    """A reply that is `response` where the item of that number was sent."""

    def choose(bad, response):
        return lambda request: response if bad in numbers(request) else answer(request)

    return choose


def test_a_request_that_fails_raises_after_the_outcomes_before_it(mode, collect, busy_server, items, failing):
    before = []
    server = busy_server(failing(25, httpx.Response(500, json=REFUSAL)))
    with pytest.raises(InternalError):
        collect(mode, server, items(500), batch_size=10, max_concurrent=3, into=before)
    assert [outcome.index for outcome in before] == list(range(20))
    assert len(server.sent) <= 5
    assert server.now == 0


def test_marked_failures_stand_in_the_places_of_their_batch_only(mode, collect, busy_server, items, failing):
    server = busy_server(failing(25, httpx.Response(500, json=REFUSAL)))
    outcomes = collect(mode, server, items(95), batch_size=10, on_error="mark")
    assert [outcome.index for outcome in outcomes] == list(range(95))
    failed = [outcome for outcome in outcomes if isinstance(outcome, ItemFailure)]
    assert [failure.index for failure in failed] == list(range(20, 30))
    assert {type(failure.error) for failure in failed} == {InternalError}
    assert failed[0].id == "id20"
    assert not hasattr(failed[0], "score")


def test_a_marked_failure_has_the_json_of_a_failed_item(mode, collect, busy_server, failing):
    server = busy_server(failing(1, httpx.Response(500, json=REFUSAL)))
    outcomes = collect(mode, server, [ScoreItem("1", solution="s", id="a")], on_error="mark")
    assert outcomes[0].to_dict() == {
        "index": 0,
        "id": "a",
        "error": {"code": "internal_error", "message": "broken"},
    }


def test_a_server_that_cannot_be_reached_is_marked_with_a_code(mode, collect, busy_server, items):
    def unreachable(request):
        raise httpx.ConnectError("no")

    outcomes = collect(mode, busy_server(unreachable), items(3), on_error="mark", settings={"max_retries": 0})
    assert [outcome.error.code for outcome in outcomes] == ["connection_failed"] * 3
    assert all(isinstance(outcome.error, ConnectionFailed) and outcome.error.retryable for outcome in outcomes)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(mode, status, collect, busy_server, items, answer, numbers):
    refused = set()

    def busy_once(request):
        first = numbers(request)[0]
        if first not in refused:
            refused.add(first)
            return httpx.Response(status)
        return answer(request)

    server = busy_server(busy_once)
    outcomes = collect(mode, server, items(20), batch_size=5, settings={"uniform": lambda low, high: 0.0})
    assert [outcome.index for outcome in outcomes] == list(range(20))
    assert len(server.sent) == 8


def test_a_pause_before_a_retry_ends_with_the_generator(collect, busy_server, items, answer, numbers):
    def busy(request):
        return answer(request) if 0 in numbers(request) else httpx.Response(429, headers={"retry-after": "30"})

    started = time.monotonic()
    collect("sync", busy_server(busy), items(40), batch_size=10, take=1)
    assert time.monotonic() - started < 5


def test_an_error_of_the_source_ends_it(mode, collect, busy_server, items):
    def broken():
        yield from items(3)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        collect(mode, busy_server(), broken(), batch_size=2)


def test_a_refused_stream_tells_what_the_server_said(collect, busy_server, items):
    server = busy_server(lambda request: httpx.Response(429))
    with pytest.raises(QueueFull):
        collect("sync", server, items(3), settings={"max_retries": 0})


@given(
    count=st.integers(0, 40),
    batch_size=st.integers(1, 6),
    max_concurrent=st.integers(1, 4),
    bad=st.sets(st.integers(0, 39)),
)
def test_order_holds_whatever_fails(
    count, batch_size, max_concurrent, bad, collect, busy_server, items, answer, numbers
):
    def reply(request):
        return httpx.Response(500, json=REFUSAL) if bad & set(numbers(request)) else answer(request)

    options = {"batch_size": batch_size, "max_concurrent": max_concurrent, "on_error": "mark"}
    outcomes = collect("async", busy_server(reply, longest_s=0.0), items(count), **options)
    spoilt = {number // batch_size for number in bad if number < count}
    assert [outcome.index for outcome in outcomes] == list(range(count))
    assert [isinstance(outcome, ItemFailure) for outcome in outcomes] == [
        index // batch_size in spoilt for index in range(count)
    ]

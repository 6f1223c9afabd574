"""`score_iter`: every item once and in order, bounded reading and concurrency, failures that are said."""

import asyncio
import json
import random
import threading
import time
from contextlib import aclosing, closing

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot_client import (
    AsyncSurefootClient,
    ConnectionFailed,
    InternalError,
    ItemFailure,
    ItemResult,
    QueueFull,
    ScoreItem,
    SurefootClient,
)

MODES = ("sync", "async")
REFUSAL = {"error": {"code": "internal_error", "message": "broken", "type": "t", "param": None}}


def items(count, read=None):
    """`count` items; each notes in `read` that it was taken."""
    for number in range(count):
        if read is not None:
            read.append(number)
        yield {"problem": str(number), "steps": ["one"], "id": f"id{number}"}


def numbers(request):
    return [int(item["problem"]) for item in json.loads(request.content)["items"]]


def answer(request):
    """Each item's score is its own number / 1000, so that a slip to the neighbour shows."""
    results = [
        {
            "index": index,
            "id": f"id{number}",
            "kind": "process",
            "text": "one",
            "steps": [{"index": 0, "score": 0.5}],
            "score": number / 1000,
        }
        for index, number in enumerate(numbers(request))
    ]
    body = {"id": "r", "model": "prm", "fingerprint": "f", "scale": "probability", "results": results}
    return httpx.Response(200, json=body)


class BusyServer:
    """Answers after random delays; counts what is sent and how much is under way at once."""

    def __init__(self, reply=answer, longest_s=0.003):
        self.reply = reply
        self.longest_s = longest_s
        self.sent = []
        self.most = self.now = 0
        self.lock = threading.Lock()
        self.random = random.Random(5)

    def _enter(self, request):
        with self.lock:
            self.sent.append(numbers(request))
            self.now += 1
            self.most = max(self.most, self.now)
            return self.random.uniform(0, self.longest_s)

    def _leave(self):
        with self.lock:
            self.now -= 1

    def handle(self, request):
        delay_s = self._enter(request)
        try:
            time.sleep(delay_s)
            return self.reply(request)
        finally:
            self._leave()

    async def handle_async(self, request):
        delay_s = self._enter(request)
        try:
            await asyncio.sleep(delay_s)
            return self.reply(request)
        finally:
            self._leave()


def collect(mode, server, source, *, take=None, settings=None, into=None, **options):
    """The outcomes, `take` of them at most; `into` keeps what came before an error."""
    outcomes = [] if into is None else into
    settings = settings or {}
    if mode == "sync":
        transport = httpx.MockTransport(server.handle)
        with (
            SurefootClient(transport=transport, **settings) as client,
            closing(client.score_iter(source, **options)) as stream,
        ):
            for outcome in stream:
                outcomes.append(outcome)
                if len(outcomes) == take:
                    break
        return outcomes

    async def run():
        transport = httpx.MockTransport(server.handle_async)
        async with (
            AsyncSurefootClient(transport=transport, **settings) as client,
            aclosing(client.score_iter(source, **options)) as stream,
        ):
            async for outcome in stream:
                outcomes.append(outcome)
                if len(outcomes) == take:
                    break

    asyncio.run(run())
    return outcomes


def failing(bad, response):
    def reply(request):
        return response if bad in numbers(request) else answer(request)

    return reply


@pytest.mark.parametrize("mode", MODES)
def test_every_item_comes_once_in_order_with_its_own_score(mode):
    outcomes = collect(mode, BusyServer(), items(500), batch_size=7, max_concurrent=5)
    assert [outcome.index for outcome in outcomes] == list(range(500))
    assert [outcome.score for outcome in outcomes] == [number / 1000 for number in range(500)]


@pytest.mark.parametrize("mode", MODES)
def test_the_position_stands_in_the_raw_json_too(mode):
    outcomes = collect(mode, BusyServer(), items(5), batch_size=2)
    assert [outcome.to_dict()["index"] for outcome in outcomes] == list(range(5))
    assert all(ItemResult.from_dict(outcome.to_dict()) == outcome for outcome in outcomes)


@pytest.mark.parametrize("mode", MODES)
def test_no_more_than_max_concurrent_requests_are_under_way(mode):
    server = BusyServer()
    collect(mode, server, items(120), batch_size=3, max_concurrent=4)
    assert server.most == 4


@pytest.mark.parametrize("mode", MODES)
def test_items_are_read_a_window_ahead_and_no_further(mode):
    read, ahead = [], []

    class Taken(list):
        def append(self, outcome):
            super().append(outcome)
            ahead.append(len(read) - (len(self) - 1))

    collect(mode, BusyServer(), items(100, read), batch_size=3, max_concurrent=4, into=Taken())
    assert max(ahead) == 12


@pytest.mark.parametrize("mode", MODES)
def test_a_slow_consumer_holds_up_reading(mode):
    read, server = [], BusyServer()
    assert len(collect(mode, server, items(1000, read), batch_size=2, max_concurrent=3, take=1)) == 1
    assert len(read) == 6
    assert len(server.sent) <= 3


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_under_way_after_it_was_closed(mode):
    server = BusyServer(longest_s=0.05)
    collect(mode, server, items(1000), batch_size=2, max_concurrent=3, take=1)
    assert server.now == 0


@pytest.mark.parametrize("mode", MODES)
def test_a_request_that_fails_raises_after_the_outcomes_before_it(mode):
    before = []
    server = BusyServer(failing(25, httpx.Response(500, json=REFUSAL)))
    with pytest.raises(InternalError):
        collect(mode, server, items(500), batch_size=10, max_concurrent=3, into=before)
    assert [outcome.index for outcome in before] == list(range(20))
    assert len(server.sent) <= 5
    assert server.now == 0


@pytest.mark.parametrize("mode", MODES)
def test_marked_failures_stand_in_the_places_of_their_batch_only(mode):
    server = BusyServer(failing(25, httpx.Response(500, json=REFUSAL)))
    outcomes = collect(mode, server, items(95), batch_size=10, on_error="mark")
    assert [outcome.index for outcome in outcomes] == list(range(95))
    failed = [outcome for outcome in outcomes if isinstance(outcome, ItemFailure)]
    assert [failure.index for failure in failed] == list(range(20, 30))
    assert {type(failure.error) for failure in failed} == {InternalError}
    assert failed[0].id == "id20"
    assert not hasattr(failed[0], "score")


@pytest.mark.parametrize("mode", MODES)
def test_a_marked_failure_has_the_json_of_a_failed_item(mode):
    server = BusyServer(failing(1, httpx.Response(500, json=REFUSAL)))
    outcomes = collect(mode, server, [ScoreItem("1", solution="s", id="a")], on_error="mark")
    assert outcomes[0].to_dict() == {
        "index": 0,
        "id": "a",
        "error": {"code": "internal_error", "message": "broken"},
    }


@pytest.mark.parametrize("mode", MODES)
def test_a_server_that_cannot_be_reached_is_marked_with_a_code(mode):
    def unreachable(request):
        raise httpx.ConnectError("no")

    outcomes = collect(mode, BusyServer(unreachable), items(3), on_error="mark", settings={"max_retries": 0})
    assert [outcome.error.code for outcome in outcomes] == ["connection_failed"] * 3
    assert all(isinstance(outcome.error, ConnectionFailed) and outcome.error.retryable for outcome in outcomes)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(mode, status):
    refused = set()

    def busy_once(request):
        first = numbers(request)[0]
        if first not in refused:
            refused.add(first)
            return httpx.Response(status)
        return answer(request)

    server = BusyServer(busy_once)
    outcomes = collect(mode, server, items(20), batch_size=5, settings={"uniform": lambda low, high: 0.0})
    assert [outcome.index for outcome in outcomes] == list(range(20))
    assert len(server.sent) == 8


def test_a_pause_before_a_retry_ends_with_the_generator():
    def busy(request):
        return answer(request) if 0 in numbers(request) else httpx.Response(429, headers={"retry-after": "30"})

    started = time.monotonic()
    collect("sync", BusyServer(busy), items(40), batch_size=10, take=1)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("mode", MODES)
def test_an_error_of_the_source_ends_it(mode):
    def broken():
        yield from items(3)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        collect(mode, BusyServer(), broken(), batch_size=2)


@pytest.mark.parametrize("mode", MODES)
def test_nothing_in_gives_nothing_out(mode):
    server = BusyServer()
    assert collect(mode, server, iter(())) == []
    assert server.sent == []


@pytest.mark.parametrize("mode", MODES)
def test_the_options_go_with_every_request(mode):
    bodies = []

    def keep(request):
        bodies.append(json.loads(request.content))
        return answer(request)

    options = {"model": "prm", "aggregation": "min", "threshold": 0.4, "timeout_s": 30, "priority": "bulk"}
    collect(mode, BusyServer(keep), items(4), batch_size=2, trace=True, checks=[], **options)
    assert [body | {"items": None} for body in bodies] == [{**options, "trace": True, "checks": [], "items": None}] * 2


def test_an_asynchronous_iterable_is_read():
    async def stream():
        for item in items(25):
            await asyncio.sleep(0)
            yield item

    outcomes = collect("async", BusyServer(), stream(), batch_size=4)
    assert [outcome.index for outcome in outcomes] == list(range(25))


@pytest.mark.parametrize("client", [SurefootClient, AsyncSurefootClient])
@pytest.mark.parametrize("options", [{"batch_size": 0}, {"max_concurrent": 0}, {"on_error": "ignore"}])
def test_options_that_cannot_work_are_refused_at_once(client, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        client().score_iter([], **options)


def test_a_refused_stream_tells_what_the_server_said():
    server = BusyServer(lambda request: httpx.Response(429))
    with pytest.raises(QueueFull):
        collect("sync", server, items(3), settings={"max_retries": 0})


@given(st.integers(0, 40), st.integers(1, 6), st.integers(1, 4), st.sets(st.integers(0, 39)))
def test_order_holds_whatever_fails(count, batch_size, max_concurrent, bad):
    def reply(request):
        return httpx.Response(500, json=REFUSAL) if bad & set(numbers(request)) else answer(request)

    options = {"batch_size": batch_size, "max_concurrent": max_concurrent, "on_error": "mark"}
    outcomes = collect("async", BusyServer(reply, longest_s=0.0), items(count), **options)
    spoilt = {number // batch_size for number in bad if number < count}
    assert [outcome.index for outcome in outcomes] == list(range(count))
    assert [isinstance(outcome, ItemFailure) for outcome in outcomes] == [
        index // batch_size in spoilt for index in range(count)
    ]

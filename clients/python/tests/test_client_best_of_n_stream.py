"""`best_of_n_stream`: typed events, an end that is always said, and a connection that closes with the loop."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing

import httpx
import pytest

from surefoot_client import (
    AsyncSurefootClient,
    BackendFailed,
    BadResponse,
    BestOfN,
    CandidateEvent,
    ConnectionFailed,
    EarlyStop,
    InternalError,
    InvalidRequest,
    NoSteps,
    QueueFull,
    RequestTimeout,
    ResultEvent,
    ScoreEvent,
    SurefootClient,
    TimedOut,
)

REFUSAL = {"error": {"code": "queue_full", "message": "full", "type": "x", "param": None}}
STEP = {"index": 0, "score": 0.9, "span": [0, 3]}


class EventBytes(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Chunks one by one, an exception among them raised; `closed` once the client has let go."""

    def __init__(self, *chunks) -> None:
        self.chunks = chunks
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk() if callable(chunk) else chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in iter(self):
            yield chunk

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def event(name, data) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def begun(stream, content_type="text/event-stream; charset=utf-8"):
    """A reply that streams; as a function, because a stream can be given once only."""
    return lambda request: httpx.Response(200, headers={"content-type": content_type}, stream=stream)


@pytest.fixture(params=["sync", "async"])
def read(request, server):
    """Reads the events, `take` of them at most, into `into`; closes the stream."""

    def read(*, into=None, take=None, settings=None, **options):
        events = [] if into is None else into
        shared = {
            "clock": lambda: server.now,
            "uniform": lambda low, high: low,
            "transport": httpx.MockTransport(server.handle),
        } | (settings or {})
        if request.param == "sync":
            with (
                SurefootClient(sleep=server.sleep, **shared) as client,
                closing(client.best_of_n_stream("2+3?", **options)) as stream,
            ):
                for each in stream:
                    events.append(each)
                    if len(events) == take:
                        break
            return events

        async def sleep(seconds):
            server.sleep(seconds)

        async def run():
            async with (
                AsyncSurefootClient(sleep=sleep, **shared) as client,
                aclosing(client.best_of_n_stream("2+3?", **options)) as stream,
            ):
                async for each in stream:
                    events.append(each)
                    if len(events) == take:
                        break

        asyncio.run(run())
        return events

    return read


@pytest.fixture
def candidate(candidate_json) -> bytes:
    return event("candidate", candidate_json)


@pytest.fixture
def result(best_of_n_answer) -> bytes:
    return event("result", best_of_n_answer)


def test_events_are_typed(read, server, candidate, result, candidate_json, best_of_n_answer):
    score = event("score", {"index": 0, "first_error": None, "score": 0.9, "outcome_score": 0.7, "steps": [STEP]})
    server.reply(begun(EventBytes(candidate, score, result)))
    drawn, scored, last = read()
    assert isinstance(drawn, CandidateEvent)
    assert drawn.candidate.to_dict() == candidate_json
    assert isinstance(scored, ScoreEvent)
    assert (scored.index, scored.score, scored.outcome_score, scored.first_error) == (0, 0.9, 0.7, None)
    assert scored.steps[0].span == (0, 3)
    assert isinstance(last, ResultEvent)
    assert isinstance(last.result, BestOfN)
    assert last.result.to_dict() == last.to_dict() == best_of_n_answer


def test_it_asks_for_a_stream_of_the_same_request(read, server, result):
    server.reply(begun(EventBytes(result)))
    read(sampling={"n": 8, "seed": None}, ranking={"strategy": "majority"}, early_stop=EarlyStop(0.9, 6))
    assert server.requests[0].url.path == "/best_of_n"
    assert server.requests[0].headers["accept"] == "text/event-stream, application/json"
    assert server.body == {
        "problem": "2+3?",
        "sampling": {"n": 8},
        "ranking": {"strategy": "majority"},
        "early_stop": {"confidence": 0.9, "min_n": 6},
        "stream": True,
    }


def test_a_candidate_that_failed_says_so(read, server, result):
    score = event("score", {"index": 0, "error": {"code": "no_steps", "message": "no steps"}})
    server.reply(begun(EventBytes(score, result)))
    scored = read()[0]
    assert (scored.index, scored.score, type(scored.error)) == (0, None, NoSteps)


def test_keep_alives_and_unknown_events_are_passed_over(read, server, candidate, result):
    server.reply(begun(EventBytes(b": ping\n\n", candidate, b": ping\n\n", event("progress", {}), result)))
    assert [type(each) for each in read()] == [CandidateEvent, ResultEvent]


@pytest.mark.parametrize(
    ("code", "error"),
    [("backend_failed", BackendFailed), ("request_timeout", RequestTimeout), ("of_a_newer_server", InternalError)],
)
def test_an_error_event_raises_the_class_of_its_code(read, server, candidate, code, error):
    before = []
    said = {"error": {"code": code, "message": "broken", "type": "t", "param": "sampling.n"}}
    server.reply(begun(EventBytes(candidate + event("error", said))))
    with pytest.raises(error) as raised:
        read(into=before)
    assert (raised.value.code, raised.value.message, raised.value.param) == (code, "broken", "sampling.n")
    assert (raised.value.status, raised.value.request_id) == (None, server.requests[0].headers["x-request-id"])
    assert [type(each) for each in before] == [CandidateEvent]


@pytest.mark.parametrize("rest", [[], [b"event: result\ndata: {}\n"], [httpx.ReadError("reset")]])
def test_a_stream_that_breaks_off_is_an_error(read, server, candidate, rest):
    before = []
    server.reply(begun(EventBytes(candidate, *rest)))
    with pytest.raises(ConnectionFailed) as raised:
        read(into=before)
    assert len(before) == 1
    assert (raised.value.sent, raised.value.request_id) == (True, server.requests[0].headers["x-request-id"])
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        (b"event: score\ndata: {oops\n\n", "a score event that is not JSON"),
        (b"event: score\ndata: NaN\n\n", "a score event that is not JSON"),
        (b"event: error\ndata: {}\n\n", "response.error is missing"),
        (b"event: candidate\ndata: {}\n\n", "candidate.index is missing"),
        (b"data: \xff\n\n", "not UTF-8"),
    ],
)
def test_what_breaks_the_promise_is_a_bad_response(read, server, sent, complaint):
    server.reply(begun(EventBytes(sent)))
    with pytest.raises(BadResponse, match=complaint):
        read()


def test_an_answer_without_events_is_a_bad_response(read, server, best_of_n_answer):
    server.reply(httpx.Response(200, json=best_of_n_answer))
    with pytest.raises(BadResponse, match="without a stream of events"):
        read()


def test_a_refusal_before_the_stream_is_tried_again(read, server, result):
    full = httpx.Response(429, json=REFUSAL, headers={"retry-after": "3"})
    server.reply(full, httpx.ConnectError("refused"), begun(EventBytes(result)))
    assert len(read()) == 1
    assert (len(server.requests), server.pauses) == (3, [3.0])


def test_a_final_refusal_is_its_class(read, server):
    server.reply(
        httpx.Response(422, json={"error": {"code": "invalid_request", "message": "m", "param": "early_stop"}})
    )
    with pytest.raises(InvalidRequest) as raised:
        read(early_stop={})
    assert (raised.value.status, raised.value.param) == (422, "early_stop")


def test_refusals_end_with_max_retries(read, server):
    server.reply(httpx.Response(429, json=REFUSAL))
    with pytest.raises(QueueFull):
        read(settings={"max_retries": 1})
    assert len(server.requests) == 2


def test_leaving_early_closes_the_connection(read, server, candidate, result):
    stream = EventBytes(candidate, candidate, result)
    server.reply(begun(stream))
    assert len(read(take=1)) == 1
    assert stream.closed


def test_nothing_is_read_after_the_result(read, server, result):
    server.reply(begun(EventBytes(result, httpx.ReadError("reset"))))
    assert len(read()) == 1


def test_the_whole_stream_has_the_time_of_sampling(read, server, candidate, result):
    def late() -> bytes:
        server.now += 601
        return candidate

    server.reply(begun(EventBytes(candidate, late, result)))
    with pytest.raises(TimedOut):
        read()
    assert server.requests[0].extensions["timeout"]["read"] == 600.0


def test_silence_is_a_timeout(read, server, candidate):
    server.reply(begun(EventBytes(candidate, httpx.ReadTimeout("silence"))))
    with pytest.raises(TimedOut):
        read()


@pytest.mark.parametrize("client", [SurefootClient, AsyncSurefootClient])
def test_arguments_that_cannot_be_sent_are_refused_at_once(client):
    with pytest.raises(ValueError, match=r"ranking\.threshold"):
        client().best_of_n_stream("2+3?", ranking={"threshold": float("nan")})


@pytest.mark.parametrize("client", [SurefootClient, AsyncSurefootClient])
def test_it_takes_what_best_of_n_takes(client):
    streamed, plain = (inspect.signature(getattr(client, name)) for name in ("best_of_n_stream", "best_of_n"))
    assert streamed.parameters == plain.parameters

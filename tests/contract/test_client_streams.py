"""Streamed best of N through both clients against a real server: the plain answer last, and no work left behind."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from itertools import islice
from typing import Any

import pytest

from surefoot.api.service import Limits
from surefoot.domain import Prompt, SampledCandidate, SamplingOptions
from surefoot.errors import SamplerUnavailable as SamplerDown
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot_client import (
    AsyncSurefootClient,
    BestOfN,
    CandidateEvent,
    ConnectionFailed,
    EarlyStop,
    InvalidRequest,
    RequestTimeout,
    ResultEvent,
    SamplerUnavailable,
    ScoreEvent,
    SurefootClient,
)

PROBLEM = "2 + 3?"


class Stalling(FakeSampler):
    """Draws one candidate, then fails or waits until it is cancelled."""

    def __init__(self, failure: Exception | None = None) -> None:
        super().__init__(["The answer is 5."])
        self.failure = failure

    async def sample(self, prompt: Prompt, options: SamplingOptions) -> AsyncIterator[SampledCandidate]:
        try:
            async for candidate in super().sample(prompt, options):
                yield candidate
                if self.failure is not None:
                    raise self.failure
                await asyncio.Event().wait()
        except (asyncio.CancelledError, GeneratorExit):
            self.num_cancelled += 1
            raise


@pytest.fixture(params=["sync", "async"])
def read(request: pytest.FixtureRequest) -> Any:
    """The events of a stream, `take` of them at most."""

    def read(url: str, take: int | None = None, **options: Any) -> list[Any]:
        if request.param == "sync":
            with SurefootClient(url) as client, closing(client.best_of_n_stream(PROBLEM, **options)) as stream:
                return list(islice(stream, take))

        async def run() -> list[Any]:
            events: list[Any] = []
            async with (
                AsyncSurefootClient(url) as client,
                aclosing(client.best_of_n_stream(PROBLEM, **options)) as stream,
            ):
                async for event in stream:
                    events.append(event)
                    if len(events) == take:
                        break
            return events

        return asyncio.run(run())

    return read


def untimed(found: BestOfN) -> dict[str, Any]:
    return {name: value for name, value in found.to_dict().items() if name not in ("id", "timing")}


def test_the_result_is_what_best_of_n_returns(serve_http, read) -> None:
    server = serve_http()
    options = {"sampling": {"n": 3}, "ranking": {"strategy": "process_outcome"}}
    with SurefootClient(server.url) as client:
        plain = client.best_of_n(PROBLEM, **options)
    assert untimed(read(server.url, **options)[-1].result) == untimed(plain)


def test_the_events_are_those_of_the_result(serve_http, read) -> None:
    *events, last = read(serve_http().url, sampling={"n": 3})
    assert isinstance(last, ResultEvent)
    drawn = [event.candidate for event in events if isinstance(event, CandidateEvent)]
    scores = {event.index: event.score for event in events if isinstance(event, ScoreEvent)}
    assert tuple(drawn) == last.result.candidates
    assert scores == {ranked.index: ranked.score for ranked in last.result.ranking.results}


def test_text_with_every_kind_of_line_end_arrives_whole(serve_http, read) -> None:
    text = "a\n\nevent: result\r\ndata: {}\r\u2028\u0085\U0001f600 5"
    last = read(serve_http(sampler=FakeSampler([text])).url, sampling={"n": 1})[-1]
    assert last.result.candidates[0].text == text


def test_an_early_stop_tells_what_it_saved(serve_http, read) -> None:
    server = serve_http(sampler=FakeSampler(["The answer is 5."]))
    options = {"sampling": {"n": 16}, "ranking": {"strategy": "majority"}, "early_stop": EarlyStop(min_n=6)}
    saving = read(server.url, **options)[-1].result.early_stop
    assert (saving.stopped, saving.samples_drawn, saving.samples_saved) == (True, 6, 10)


def test_an_early_stop_that_cannot_be_is_refused_by_its_class(serve_http, read) -> None:
    with pytest.raises(InvalidRequest) as raised:
        read(serve_http().url, early_stop=EarlyStop())
    assert (raised.value.status, raised.value.param) == (422, "early_stop")


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"sampler": Stalling(SamplerDown("the engine died"))}, SamplerUnavailable),
        ({"sampler": Stalling(), "limits": Limits(request_timeout_s=0.2)}, RequestTimeout),
    ],
)
def test_what_fails_in_mid_stream_is_its_class(serve_http, read, parts, error) -> None:
    with pytest.raises(error) as raised:
        read(serve_http(**parts).url)
    assert raised.value.status is None


def test_leaving_early_stops_the_sampler(serve_http, read) -> None:
    server = serve_http(sampler=Stalling())
    assert isinstance(read(server.url, take=1)[0], CandidateEvent)
    server.until(lambda: server.parts.sampler.num_cancelled == 1)
    server.until(lambda: server.traffic.now == 0)


def test_a_plain_break_is_leaving_too(serve_http) -> None:
    server = serve_http(sampler=Stalling())
    with SurefootClient(server.url) as client:
        for _ in client.best_of_n_stream(PROBLEM):
            break
        server.until(lambda: server.parts.sampler.num_cancelled == 1)


async def test_a_cancelled_reader_stops_the_sampler(serve_http) -> None:
    server = serve_http(sampler=Stalling())
    begun = asyncio.Event()

    async def run() -> None:
        async with AsyncSurefootClient(server.url) as client:
            async for _ in client.best_of_n_stream(PROBLEM):
                begun.set()

    reading = asyncio.create_task(run())
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.to_thread(server.until, lambda: server.parts.sampler.num_cancelled == 1)


def test_a_connection_that_breaks_in_mid_stream_is_no_short_stream(read) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    event = b'event: candidate\ndata: {"index": 0, "text": "5"}\n\n'
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(head + b"%x\r\n%s\r\n" % (len(event), event))

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ConnectionFailed) as raised:
            read(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert raised.value.sent

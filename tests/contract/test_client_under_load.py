"""Many requests at once against a real server with a short queue: nothing lost, doubled or given to the neighbour."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from surefoot.api.app import create_app
from surefoot.backends.fake_backend import FakeBackend
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.wiring.fake_service import FakeParts, build_fake_service
from surefoot_client import AsyncSurefootClient, ScoreItem, ScoreResponse, SurefootClient

NUM_SMALL, NUM_LARGE, LARGE = 500, 20, 100
NUM_STREAMED, BATCH_SIZE, MAX_CONCURRENT = 20_000, 50, 3


def item(number: int) -> ScoreItem:
    return ScoreItem(f"problem {number}", steps=[f"step of {number}"], id=f"id{number}")


def requests_to_send() -> list[list[ScoreItem]]:
    """Small ones of one item with a large one after every 25th; the numbers of all items differ."""
    sizes = [size for _ in range(NUM_LARGE) for size in [1] * (NUM_SMALL // NUM_LARGE) + [LARGE]]
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    return [[item(start + offset) for offset in range(size)] for start, size in zip(starts, sizes, strict=True)]


async def answer_async(url: str, batches: list[list[ScoreItem]]) -> list[ScoreResponse]:
    async with AsyncSurefootClient(url, max_retries=50) as client:
        return await asyncio.gather(*map(client.score, batches))


def answer_in_threads(url: str, batches: list[list[ScoreItem]]) -> list[ScoreResponse]:
    with SurefootClient(url, max_retries=50) as client, ThreadPoolExecutor(len(batches)) as pool:
        return list(pool.map(client.score, batches))


@dataclass(frozen=True)
class Rush:
    """What was sent at once, what came back, and what the server saw of it."""

    sent: list[list[ScoreItem]]
    responses: list[ScoreResponse]
    traffic: Any
    alone: dict[str, float]
    """The score of each item by its id, from a service without a rush."""


def release_once_refused(server: Any) -> None:
    try:
        server.until(lambda: any(status == 429 for _, status, _, _ in server.traffic.seen))
    finally:
        server.parts.backend.release()


async def scores_alone(items: list[ScoreItem]) -> dict[str, float]:
    app = create_app(build_fake_service(FakeParts()).service)
    async with (
        app.router.lifespan_context(app),
        AsyncSurefootClient("http://surefoot.test", transport=httpx.ASGITransport(app)) as client,
    ):
        return {
            result.id: result.score
            for start in range(0, len(items), 1000)
            for result in (await client.score(items[start : start + 1000])).raise_for_failures()
        }


@pytest.fixture(scope="module", params=["sync", "async"])
def rush(request: pytest.FixtureRequest, running_http: Any) -> Rush:
    """500 small and 20 large requests at once, for a queue that holds one large one and stands still at first."""
    parts = FakeParts(queue=SchedulerLimits(max_batch_items=64, max_queue_items=110), backend=FakeBackend())
    sent = requests_to_send()
    with running_http(parts) as server, ThreadPoolExecutor(1) as aside:
        parts.backend.hold()
        released = aside.submit(release_once_refused, server)
        if request.param == "sync":
            responses = answer_in_threads(server.url, sent)
        else:
            responses = asyncio.run(answer_async(server.url, sent))
        released.result()
    alone = asyncio.run(scores_alone([one for batch in sent for one in batch]))
    return Rush(sent, responses, server.traffic, alone)


def test_every_request_is_answered_once(rush) -> None:
    answered = Counter(request_id for request_id, status, _, _ in rush.traffic.seen if status == 200)
    assert sorted(answered) == sorted(response.id for response in rush.responses)
    assert set(answered.values()) == {1}
    assert len(answered) == NUM_SMALL + NUM_LARGE


def test_every_item_comes_back_in_its_place(rush) -> None:
    for sent, response in zip(rush.sent, rush.responses, strict=True):
        assert [result.id for result in response.results] == [one.id for one in sent]


def test_every_result_has_its_own_text(rush) -> None:
    for sent, response in zip(rush.sent, rush.responses, strict=True):
        assert [result.text for result in response.raise_for_failures()] == [one.steps[0] for one in sent]


def test_every_score_is_that_of_its_item_alone(rush) -> None:
    found = {result.id: result.score for response in rush.responses for result in response.raise_for_failures()}
    assert found == rush.alone
    # A slip to the neighbour would show: hardly any two items have the same score.
    assert len(set(found.values())) > 0.99 * len(found)


def test_some_were_refused_and_came_back_no_sooner_than_asked(rush) -> None:
    arrivals = defaultdict(list)
    for request_id, at in rush.traffic.begun:
        arrivals[request_id].append(at)
    refused = [seen for seen in rush.traffic.seen if seen[1] == 429]
    assert refused
    for request_id, _, at, retry_after in refused:
        assert min(later for later in arrivals[request_id] if later > at) - at >= float(retry_after)


class Source:
    """Numbered items; `ahead` is the most that were read before their results had been taken."""

    def __init__(self) -> None:
        self.num_read = self.num_taken = self.ahead = 0

    def __iter__(self) -> Iterator[ScoreItem]:
        for number in range(NUM_STREAMED):
            self.num_read += 1
            self.ahead = max(self.ahead, self.num_read - self.num_taken)
            yield item(number)

    def takes(self, outcome: Any) -> None:
        """Fails unless it is the next item's."""
        assert (outcome.index, outcome.id, outcome.text) == (
            self.num_taken, f"id{self.num_taken}", f"step of {self.num_taken}",
        )  # fmt: skip
        self.num_taken += 1


OPTIONS = {"batch_size": BATCH_SIZE, "max_concurrent": MAX_CONCURRENT}


async def stream_async(url: str, source: Source) -> None:
    async with (
        AsyncSurefootClient(url) as client,
        aclosing(client.score_iter(source, **OPTIONS)) as outcomes,
    ):
        async for outcome in outcomes:
            source.takes(outcome)


def stream_sync(url: str, source: Source) -> None:
    with SurefootClient(url) as client, closing(client.score_iter(source, **OPTIONS)) as outcomes:
        for outcome in outcomes:
            source.takes(outcome)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_long_stream_is_scored_in_order_with_few_items_under_way(serve_http, mode) -> None:
    server, source = serve_http(), Source()
    if mode == "sync":
        stream_sync(server.url, source)
    else:
        asyncio.run(stream_async(server.url, source))
    assert source.num_taken == NUM_STREAMED
    assert server.traffic.most == MAX_CONCURRENT
    assert source.ahead <= BATCH_SIZE * MAX_CONCURRENT

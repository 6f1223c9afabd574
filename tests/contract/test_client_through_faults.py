"""10,000 items through proxies that fail: every item settles exactly once, with the score it has without faults."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, closing
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from loadtests.servers.fault_proxy import SHARES, FaultProxy, running_fault_proxy

from surefoot.api.app import create_app
from surefoot.wiring.fake_service import FakeParts, build_fake_service
from surefoot_client import AsyncSurefootClient, ItemResult, ScoreItem, SurefootClient

NUM_ITEMS, BATCH_SIZE = 10_000, 20
OPTIONS = {"batch_size": BATCH_SIZE, "max_concurrent": 8, "on_error": "mark"}
# Only the deadline ends a call: a third of all attempts fails, and a burst hits whoever comes back first again and
# again, so that with 500 requests a run some end up with ten failed attempts and, now and then, more than twelve.
SETTINGS = {"max_retries": 1_000, "uniform": lambda low, high: low + 0.01 * (high - low)}


def item(number: int) -> ScoreItem:
    return ScoreItem(f"problem {number // 4}", steps=[f"step of {number}", "second"], id=f"id{number}")


@dataclass(frozen=True)
class Run:
    """What came back, in order, and the proxies it came through."""

    outcomes: list[Any]
    proxies: list[FaultProxy]


def streamed(urls: list[str]) -> list[Any]:
    with SurefootClient(urls, **SETTINGS) as client, closing(client.score_iter(items(), **OPTIONS)) as outcomes:
        return list(outcomes)


async def streamed_async(urls: list[str]) -> list[Any]:
    async with (
        AsyncSurefootClient(urls, **SETTINGS) as client,
        aclosing(client.score_iter(items(), **OPTIONS)) as outcomes,
    ):
        return [outcome async for outcome in outcomes]


def items() -> Iterator[ScoreItem]:
    return map(item, range(NUM_ITEMS))


@pytest.fixture(scope="module", params=[("sync", 1), ("async", 2)], ids=str)
def run(request: pytest.FixtureRequest, running_http: Any) -> Run:
    """The blocking client in front of one server, the other one in front of two."""
    mode, num_servers = request.param
    with ExitStack() as running:
        servers = [running.enter_context(running_http(FakeParts())) for _ in range(num_servers)]
        proxies = [running.enter_context(running_fault_proxy(each.url, seed)) for seed, each in enumerate(servers)]
        urls = [proxy.url for proxy in proxies]
        return Run(streamed(urls) if mode == "sync" else asyncio.run(streamed_async(urls)), proxies)


@pytest.fixture(scope="module")
def scores_without_faults() -> list[float]:
    async def scored() -> list[float]:
        app = create_app(build_fake_service(FakeParts()).service)
        async with (
            app.router.lifespan_context(app),
            AsyncSurefootClient("http://surefoot.test", transport=httpx.ASGITransport(app)) as client,
            aclosing(client.score_iter(items(), batch_size=500)) as outcomes,
        ):
            return [outcome.score async for outcome in outcomes]

    return asyncio.run(scored())


def test_every_kind_of_fault_came_about(run) -> None:
    assert all(set(proxy.faults) == set(SHARES) for proxy in run.proxies)


def test_every_item_settles_exactly_once_in_its_place(run) -> None:
    assert [outcome.index for outcome in run.outcomes] == list(range(NUM_ITEMS))
    assert [outcome.id for outcome in run.outcomes] == [f"id{number}" for number in range(NUM_ITEMS)]


def test_every_score_is_that_of_a_run_without_faults(run, scores_without_faults) -> None:
    assert [outcome for outcome in run.outcomes if not isinstance(outcome, ItemResult)] == []
    assert [outcome.score for outcome in run.outcomes] == scores_without_faults
    # A slip to the neighbour would show.
    assert len(set(scores_without_faults)) > 0.9 * NUM_ITEMS


def test_every_request_is_delivered_once_however_often_it_was_scored(run) -> None:
    delivered, scored = (
        sum((getattr(proxy, name) for proxy in run.proxies), Counter()) for name in ("delivered", "scored")
    )
    assert len(delivered) == NUM_ITEMS // BATCH_SIZE
    assert set(delivered.values()) == {1}
    assert max(scored.values()) > 1

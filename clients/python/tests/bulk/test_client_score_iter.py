"""`score_iter`: every item once and in order, bounded reading and concurrency."""

import asyncio
import json

import pytest

from surefoot_client import AsyncSurefootClient, ItemResult, SurefootClient


def test_every_item_comes_once_in_order_with_its_own_score(mode, collect, busy_server, items):
    outcomes = collect(mode, busy_server(), items(500), batch_size=7, max_concurrent=5)
    assert [outcome.index for outcome in outcomes] == list(range(500))
    assert [outcome.score for outcome in outcomes] == [number / 1000 for number in range(500)]


def test_the_position_stands_in_the_raw_json_too(mode, collect, busy_server, items):
    outcomes = collect(mode, busy_server(), items(5), batch_size=2)
    assert [outcome.to_dict()["index"] for outcome in outcomes] == list(range(5))
    assert all(ItemResult.from_dict(outcome.to_dict()) == outcome for outcome in outcomes)


def test_no_more_than_max_concurrent_requests_are_under_way(mode, collect, busy_server, items):
    server = busy_server()
    collect(mode, server, items(120), batch_size=3, max_concurrent=4)
    assert server.most == 4


def test_items_are_read_a_window_ahead_and_no_further(mode, collect, busy_server, items):
    read, ahead = [], []

    class Taken(list):
        def append(self, outcome):
            super().append(outcome)
            ahead.append(len(read) - (len(self) - 1))

    collect(mode, busy_server(), items(100, read), batch_size=3, max_concurrent=4, into=Taken())
    assert max(ahead) == 12


def test_a_slow_consumer_holds_up_reading(mode, collect, busy_server, items):
    read, server = [], busy_server()
    assert len(collect(mode, server, items(1000, read), batch_size=2, max_concurrent=3, take=1)) == 1
    assert len(read) == 6
    assert len(server.sent) <= 3


def test_nothing_is_under_way_after_it_was_closed(mode, collect, busy_server, items):
    server = busy_server(longest_s=0.05)
    collect(mode, server, items(1000), batch_size=2, max_concurrent=3, take=1)
    assert server.now == 0


def test_nothing_in_gives_nothing_out(mode, collect, busy_server):
    server = busy_server()
    assert collect(mode, server, iter(())) == []
    assert server.sent == []


def test_the_options_go_with_every_request(mode, collect, busy_server, items, answer):
    bodies = []

    def keep(request):
        bodies.append(json.loads(request.content))
        return answer(request)

    options = {"model": "prm", "aggregation": "min", "threshold": 0.4, "timeout_s": 30, "priority": "bulk"}
    options |= {"trace": True, "checks": ["arithmetic"], "combine_checks": True}
    collect(mode, busy_server(keep), items(4), batch_size=2, **options)
    assert [body | {"items": None} for body in bodies] == [options | {"items": None}] * 2


def test_an_asynchronous_iterable_is_read(collect, busy_server, items):
    async def stream():
        for item in items(25):
            await asyncio.sleep(0)
            yield item

    outcomes = collect("async", busy_server(), stream(), batch_size=4)
    assert [outcome.index for outcome in outcomes] == list(range(25))


@pytest.mark.parametrize("client", [SurefootClient, AsyncSurefootClient])
@pytest.mark.parametrize("options", [{"batch_size": 0}, {"max_concurrent": 0}, {"on_error": "ignore"}])
def test_options_that_cannot_work_are_refused_at_once(client, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        client().score_iter([], **options)

"""A busy scripted server for streams of items, and what reads them through either client."""

import asyncio
import json
import random
import threading
import time
from contextlib import aclosing, closing

import httpx
import pytest

from surefoot_client import AsyncSurefootClient, SurefootClient


@pytest.fixture(params=["sync", "async"])
def mode(request):
    """Which of the two clients reads the stream."""
    return request.param


def numbered_items(count, read=None):
    """`count` items; each notes in `read` that it was taken."""
    for number in range(count):
        if read is not None:
            read.append(number)
        yield {"problem": str(number), "steps": ["one"], "id": f"id{number}"}


def numbers_in(request):
    return [int(item["problem"]) for item in json.loads(request.content)["items"]]


def scores_of_numbers(request):
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
        for index, number in enumerate(numbers_in(request))
    ]
    body = {"id": "r", "model": "prm", "fingerprint": "f", "scale": "probability", "results": results}
    return httpx.Response(200, json=body)


class BusyServer:
    """Answers after random delays; counts what is sent and how much is under way at once."""

    def __init__(self, reply=scores_of_numbers, longest_s=0.003):
        self.reply = reply
        self.longest_s = longest_s
        self.sent = []
        self.most = self.now = 0
        self.lock = threading.Lock()
        self.random = random.Random(5)

    def _enter(self, request):
        with self.lock:
            self.sent.append(numbers_in(request))
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


def collected(mode, server, source, *, take=None, settings=None, into=None, **options):
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


@pytest.fixture(scope="session")
def items():
    return numbered_items


@pytest.fixture(scope="session")
def numbers():
    return numbers_in


@pytest.fixture(scope="session")
def answer():
    return scores_of_numbers


@pytest.fixture(scope="session")
def busy_server():
    return BusyServer


@pytest.fixture(scope="session")
def collect():
    return collected

"""A scripted server behind `httpx.MockTransport`, a clock that only sleeping moves, and both clients on top."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from surefoot_client import AsyncSurefootClient, SurefootClient

Scripted = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class ScriptedServer:
    """Gives its replies in order (the last one for ever) and keeps what it was sent."""

    def __init__(self) -> None:
        self.replies: list[Scripted] = []
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []
        self.now = 1000.0

    def reply(self, *replies: Scripted) -> None:
        self.replies.extend(replies)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, httpx.Response):
            # A response is used up by the client that reads it; the same one may be given again.
            return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)
        return reply(request)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the last request."""
        return json.loads(self.requests[-1].content)


class ClientDriver:
    """Calls one of the two clients by method name and waits for the answer."""

    def __init__(self, mode: str, server: ScriptedServer) -> None:
        self.mode = mode
        self.server = server

    def call(self, method: str, *args: Any, settings: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        shared = {
            "clock": lambda: self.server.now,
            "uniform": lambda low, high: low,
            "transport": httpx.MockTransport(self.server.handle),
        } | (settings or {})
        if self.mode == "sync":
            with SurefootClient(**{"sleep": self.server.sleep} | shared) as client:
                return getattr(client, method)(*args, **kwargs)
        return asyncio.run(self._call_async(method, args, kwargs, shared))

    async def _call_async(self, method: str, args: Any, kwargs: Any, shared: dict[str, Any]) -> Any:
        async def sleep(seconds: float) -> None:
            self.server.sleep(seconds)

        async with AsyncSurefootClient(**{"sleep": sleep} | shared) as client:
            return await getattr(client, method)(*args, **kwargs)


@pytest.fixture
def server() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture(params=["sync", "async"])
def driver(request: pytest.FixtureRequest, server: ScriptedServer) -> ClientDriver:
    return ClientDriver(request.param, server)


def process_result(index: int, num_steps: int = 2) -> dict[str, Any]:
    return {
        "index": index,
        "id": f"a{index}",
        "kind": "process",
        "text": "one\ntwo",
        "steps": [
            {
                "index": step,
                "span": [4 * step, 4 * step + 3],
                "score": 0.98 - 0.03 * step,
                "raw": [2.1, -1.8],
                "probabilities": {"positive": 0.9, "neutral": 0.08, "negative": 0.02},
            }
            for step in range(num_steps)
        ],
        "first_error": None,
        "first_error_probabilities": [0.02, 0.049],
        "no_error_probability": 0.931,
        "score": 0.931,
        "aggregations": {"prod": 0.931, "min": 0.95, "mean": 0.965, "last": 0.95, "sum_logprob": -0.0715},
        "num_tokens": 213,
        "cached_tokens": 0,
    }


def score_json(*results: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "r1",
        "model": "prm",
        "fingerprint": "f1",
        "scale": "probability",
        "results": list(results),
        "usage": {"prompt_tokens": 640, "unique_tokens": 352, "cached_tokens": 7},
        "timing": {"queue_s": 0.001, "forward_s": 0.021, "total_s": 0.024},
    }


@pytest.fixture
def result_json() -> Callable[..., dict[str, Any]]:
    return process_result


@pytest.fixture
def score_answer() -> dict[str, Any]:
    """One item, two steps."""
    return score_json(process_result(0))


@pytest.fixture
def partial_answer() -> dict[str, Any]:
    """Item 1 of 3 failed."""
    failure = {"index": 1, "id": "b", "error": {"code": "input_too_long", "message": "5120 tokens, limit 4096"}}
    return score_json(process_result(0), failure, process_result(2))


@pytest.fixture
def ranking_answer() -> dict[str, Any]:
    return {
        "id": "r2",
        "results": [
            {"index": 1, "id": "x", "relevance_score": 0.9, "answer": "5", "first_error": None},
            {"index": 0, "relevance_score": 0.2, "answer": "6", "first_error": 0, "document": {"text": "It is 6."}},
            {
                "index": 2,
                "relevance_score": None,
                "answer": None,
                "first_error": None,
                "error": {"code": "no_steps", "message": "no steps"},
            },
        ],
        "best": 1,
        "answer": "5",
        "votes": [{"answer": "5", "weight": 0.9, "count": 1, "indices": [1]}],
        "agreement": 0.5,
        "tie": False,
        "models": {"process": "prm"},
        "fingerprints": {"prm": "f1"},
        "usage": {"prompt_tokens": 10, "unique_tokens": 8, "cached_tokens": 0},
        "timing": {"queue_s": 0.0, "forward_s": 0.1, "total_s": 0.2},
    }


@pytest.fixture
def candidate_json() -> dict[str, Any]:
    return {
        "index": 0,
        "text": "2+3=5\nIt is 5.",
        "steps": ["2+3=5", "It is 5."],
        "answer": "5",
        "finish_reason": "stop",
        "num_tokens": 3,
        "token_ids": [5, 6, 7],
        "logprobs": [-0.1, -0.2, -0.3],
        "cumulative_logprob": -0.6,
    }


@pytest.fixture
def sample_answer(candidate_json: dict[str, Any]) -> dict[str, Any]:
    return {
        "generator": "default",
        "fingerprint": "g1",
        "prompt_token_ids": [1, 2],
        "candidates": [candidate_json],
        "usage": {"prompt_tokens": 2, "completion_tokens": 3},
        "timing": {"queue_s": 0.0, "forward_s": 0.0, "total_s": 0.5},
    }


@pytest.fixture
def best_of_n_answer(candidate_json: dict[str, Any], ranking_answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "r3",
        "generator": "default",
        "fingerprint": "g1",
        "prompt_token_ids": [1, 2],
        "candidates": [candidate_json],
        "ranking": ranking_answer,
        "best": 0,
        "answer": "5",
        "text": candidate_json["text"],
        "usage": {
            "prompt_tokens": 2,
            "completion_tokens": 3,
            "scoring": {"prompt_tokens": 10, "unique_tokens": 8, "cached_tokens": 0},
        },
        "timing": {"queue_s": 0.0, "forward_s": 0.1, "total_s": 0.2},
    }

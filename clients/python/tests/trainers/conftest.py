"""Answers of a server as a trainer's adapter gets them: a score or an error for each solution, by its text."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from surefoot_client import AsyncSurefootClient


class SolutionServer:
    """Scores each solution with `scores[text]`; a text there stands for an item's error code, used up one by one."""

    def __init__(self, result_json: Callable[..., dict[str, Any]]) -> None:
        self.scores: dict[str, float | list[float | str]] = {}
        self.items: list[dict[str, Any]] = []
        self.bodies: list[dict[str, Any]] = []
        self.refusal: httpx.Response | None = None
        self._result_json = result_json

    def handle(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.bodies.append(body)
        self.items += body["items"]
        if self.refusal is not None:
            return self.refusal
        results = [self._result(index, item) for index, item in enumerate(body["items"])]
        shared = {"id": "r", "model": "prm", "fingerprint": "f", "scale": "probability"}
        return httpx.Response(200, json=shared | {"results": results})

    def _result(self, index: int, item: dict[str, Any]) -> dict[str, Any]:
        text = item["solution"] if "solution" in item else item["messages"][-1]["content"]
        given = self.scores[text]
        if isinstance(given, list):
            given = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(given, str):
            return {"index": index, "error": {"code": given, "message": "no"}}
        return self._result_json(index) | {"score": given}

    def client(self) -> AsyncSurefootClient:
        return AsyncSurefootClient(transport=httpx.MockTransport(self.handle), max_retries=0)


@pytest.fixture
def solutions(result_json) -> SolutionServer:
    return SolutionServer(result_json)

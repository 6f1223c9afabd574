"""The requests that are sent: short word problems with candidates, each unlike any before it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from loadtests.workloads import Group, workload

NUM_CALLERS = 20
"""Keys that requests come with in turn: each caller has turns of its own."""

SALT = "@@"
"""Stands in a body where a number of its own comes, so that no request is answered from what another left."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A request of so many candidates of so many steps each, to be scored or to be sampled."""

    num_candidates: int
    num_steps: int
    priority: str = "interactive"
    path: str = "/score"


KINDS: Mapping[str, Kind] = MappingProxyType(
    {"interactive": Kind(2, 2), "bulk": Kind(8, 4, "bulk"), "sample": Kind(4, 0, path="/sample")}
)


class Bodies:
    """Bodies by kind, written before the run: drawing them would cost time that the generator has not."""

    def __init__(self, seed: int, num_drawn: int = 64) -> None:
        rng = random.Random(seed)  # noqa: S311  no secret
        groups = workload("W1", seed, "").waves[0]
        self._drawn = {
            name: [_body(rng.choice(groups), kind, rng) for _ in range(num_drawn)] for name, kind in KINDS.items()
        }

    def templates(self, kind: str) -> list[str]:
        """JSON texts with `SALT` in the places of each request's own number."""
        return self._drawn[kind]

    def body(self, kind: str, number: int) -> bytes:
        """The request of that number."""
        drawn = self._drawn[kind]
        return drawn[number % len(drawn)].replace(SALT, f"{kind[0]}{number}").encode()


def _body(group: Group, kind: Kind, rng: random.Random) -> str:
    if kind.path == "/sample":
        return json.dumps({"problem": f"[{SALT}] {group.problem}", "n": kind.num_candidates, "max_tokens": 32})
    candidates = rng.sample(group.candidates, kind.num_candidates)
    items = [
        {"id": f"{SALT}.{place}", "problem": f"[{SALT}] {group.problem}", "steps": list(steps[: kind.num_steps])}
        for place, steps in enumerate(candidates)
    ]
    return json.dumps({"model": "prm", "items": items, "priority": kind.priority})


def read_answers(kind: Kind, content: bytes) -> list[dict[str, Any]]:
    """The parts of a 200's body, one for each candidate, each with what tells it from the others under `id`."""
    answer = json.loads(content)
    if kind.path == "/sample":
        return [{"id": candidate["index"]} for candidate in answer["candidates"]]
    found: list[dict[str, Any]] = answer["results"]
    return found


def headers(number: int) -> dict[str, str]:
    """Whose the request of that number is, and its id."""
    return {
        "authorization": f"Bearer caller-{number % NUM_CALLERS}",
        "content-type": "application/json",
        "x-request-id": request_id(number),
    }


def numbers_in(log: str) -> set[int]:
    """Of which requests a server's log in JSON has a line."""
    return {int(number) for number in re.findall(r'"request_id": "load-(\d+)"', log)}


def request_id(number: int) -> str:
    """What that request is called in the answer, and in the server's log."""
    return f"load-{number}"

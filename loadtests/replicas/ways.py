"""The same questions by several ways to two replicas, and what each way cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import httpx

from loadtests.replicas.asking import Answer, Asking, homes, placed, share
from loadtests.replicas.pair import Pair, Starts, Tokens
from loadtests.replicas.questions import Question
from loadtests.servers.nginx_server import nginx_before
from loadtests.servers.surefoot_server import score_body
from surefoot_client import AsyncSurefootClient

TIMEOUT_S = 180.0
"""Of a question, attempts together; all else of the client is its default."""

WARM_UP_PROBLEMS = 2
"""For each replica: the first passes are slow, because libraries set themselves up."""


@contextmanager
def _directly(urls: Sequence[str]) -> Iterator[str | Sequence[str]]:
    yield urls


WAYS: Mapping[str, Callable[[Sequence[str]], AbstractContextManager[str | Sequence[str]]]] = MappingProxyType(
    {"client": _directly, "proxy-hash": nginx_before, "round-robin": partial(nginx_before, hashes=False)}
)
"""What the client is given, by the name of the way: the addresses of both replicas, or that of an nginx before them."""

NEED_NGINX = frozenset({"proxy-hash", "round-robin"})
AFFINE = ("client", "proxy-hash")
"""Those that send a problem where it was before."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One way: its answers, the seconds of all of them, and what both replicas counted meanwhile."""

    name: str
    answers: Sequence[Answer]
    seconds: float
    tokens: Tokens

    @property
    def computed(self) -> int:
        """Tokens that forward passes had to go through."""
        return sum(answer.computed for answer in self.answers)

    @property
    def away(self) -> float:
        """The share of the questions that were scored elsewhere than most of their problem were."""
        own = homes(self.answers)
        return share(answer.place != own[answer.question.problem] for answer in self.answers if answer.place >= 0)

    @property
    def scores(self) -> dict[tuple[int, int], tuple[tuple[float, ...], ...]]:
        """By problem and round."""
        return {
            (answer.question.problem, answer.question.round): answer.scores
            for answer in self.answers
            if answer.outcome.fate == "answered"
        }


def measure(name: str, pair: Pair, rounds: Sequence[Sequence[Question]], num_callers: int) -> Measured:
    """Ask all of it by that way."""
    warm_up(pair)
    with WAYS[name](pair.urls) as address:
        return asyncio.run(_measure(name, pair, rounds, address, num_callers))


async def _measure(
    name: str, pair: Pair, rounds: Sequence[Sequence[Question]], address: str | Sequence[str], num_callers: int
) -> Measured:
    before = pair.tokens()
    async with AsyncSurefootClient(address, timeout_s=TIMEOUT_S) as client:
        asking, began = Asking(client, num_callers), time.perf_counter()
        answers = [answer for questions in rounds for answer in await asking.round(questions)]
        seconds = time.perf_counter() - began
    return Measured(name, await placed(answers, pair), seconds, pair.tokens() - before)


def measured_by(name: str, starts: Starts, rounds: Sequence[Sequence[Question]], num_callers: int) -> Measured:
    """The same at two replicas that are started for it, so that no way finds what another has left."""
    with Pair(starts) as pair:
        return measure(name, pair, rounds, num_callers)


def warm_up(pair: Pair) -> None:
    """Have each replica score something that nobody asks again."""
    for url in pair.urls:
        for number in range(WARM_UP_PROBLEMS):
            text = f"Warm-up {number}: what is {number} + 3? " * 10
            httpx.post(f"{url}/score", json=score_body(text, [["It is 5."]]), timeout=TIMEOUT_S).raise_for_status()

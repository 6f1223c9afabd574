"""Asks by the client, and keeps what came of each question."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from loadtests.replicas.pair import Pair
from loadtests.replicas.questions import Question
from loadtests.traffic.outcomes import REFUSALS, Fate, Outcome
from surefoot_client import AsyncSurefootClient, ItemResult, ScoreResponse
from surefoot_client.errors import ConnectionFailed, ServerError, SurefootError

LOG_LIMIT_S = 5.0
"""In which the line of a request that was answered is in its server's log."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question: `scores` of its candidates' steps, and tokens `given`, `known` and `computed` for it.
    `place` is the replica that scored it, -1 where none did."""

    question: Question
    outcome: Outcome
    request_id: str
    scores: tuple[tuple[float, ...], ...] = ()
    given: int = 0
    known: int = 0
    computed: int = 0
    place: int = -1


class Asking:
    """At most `num_callers` questions at a time."""

    def __init__(self, client: AsyncSurefootClient, num_callers: int) -> None:
        self._num_begun = 0
        self._middle = 0
        self._at_middle = asyncio.Event()
        self._client = client
        self._turns = asyncio.Semaphore(num_callers)
        self._began = time.perf_counter()

    async def round(self, questions: Sequence[Question]) -> list[Answer]:
        """All of them, begun in their order; the next round knows their answers, as a search does."""
        return list(await asyncio.gather(*map(self._ask, questions)))

    async def one_by_one(self, questions: Sequence[Question]) -> list[Answer]:
        """All of them, each when the one before is answered: none waits, so that nothing is passed on."""
        return [await self._ask(question) for question in questions]

    async def until_begun(self, more: int) -> None:
        """Until so many more have begun."""
        self._middle = self._num_begun + more
        self._at_middle.clear()
        await self._at_middle.wait()

    async def _ask(self, question: Question) -> Answer:
        async with self._turns:
            self._num_begun += 1
            if self._num_begun == self._middle:
                self._at_middle.set()
            started_s = self._clock()
            try:
                response = await self._client.score(question.items, model="prm")
            except SurefootError as error:
                fate, said = fate_of_error(error), f"{type(error).__name__}: {error}"
                return Answer(question, self._outcome(started_s, fate, said), error.request_id or "")
        return answer_of(question, response, self._outcome(started_s, "answered"))

    def _outcome(self, started_s: float, fate: Fate, said: str = "") -> Outcome:
        return Outcome("interactive", started_s, started_s, self._clock(), fate, said=said)

    def _clock(self) -> float:
        return time.perf_counter() - self._began


def fate_of_error(error: SurefootError) -> Fate:
    """What an error that reached the caller means for the work."""
    if isinstance(error, ServerError):
        return "refused" if error.status in REFUSALS else "lost"
    return "unreached" if isinstance(error, ConnectionFailed) and not error.sent else "lost"


def answer_of(question: Question, response: ScoreResponse, outcome: Outcome) -> Answer:
    """The answer to a question; one that is about other items, or has an item without scores, is none."""
    results = [result for result in response.results if isinstance(result, ItemResult)]
    if [result.id for result in results] != [item["id"] for item in question.items]:
        lost = Outcome("interactive", outcome.intended_s, outcome.started_s, outcome.ended_s, "lost", said="no score")
        return Answer(question, lost, response.id)
    lengths, known = [each.num_tokens for each in results], [each.cached_tokens for each in results]
    return Answer(
        question,
        outcome,
        response.id,
        tuple(tuple(step.score for step in each.steps) for each in results),
        sum(lengths),
        sum(known),
        num_computed(sum(lengths) - response.usage.unique_tokens, lengths, known),
    )


def num_computed(num_shared: int, lengths: Sequence[int], known: Sequence[int]) -> int:
    """Tokens that were computed for two candidates which begin with the same `num_shared` tokens, of which each began
    with so many `known` ones: what both know of the beginning is known once."""
    first, second = known
    return sum(lengths) - num_shared - (first + second - min(first, second, num_shared))


def _places(wanted: Collection[str], pair: Pair) -> dict[str, list[int]]:
    """Where requests were scored, when all the wanted ones are in the logs: a line comes after its answer."""
    deadline = time.monotonic() + LOG_LIMIT_S
    while not set(wanted) <= (found := pair.places()).keys() and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


async def placed(answers: Sequence[Answer], pair: Pair) -> list[Answer]:
    """The same with the replicas that scored them, by the replicas' own logs."""
    wanted = {answer.request_id for answer in answers if answer.outcome.fate == "answered"}
    places = await asyncio.to_thread(_places, wanted, pair)
    found = []
    for answer in answers:
        at = places.get(answer.request_id, [])
        # More than once is work done twice, whatever reached the caller.
        outcome = replace(answer.outcome, num_doubled=max(0, len(at) - 1))
        found.append(replace(answer, outcome=outcome, place=at[-1] if at else -1))
    return found


def homes(answers: Sequence[Answer]) -> dict[int, int]:
    """The replica that scored most of a problem's questions; the first of two that scored as many."""
    places: dict[int, Counter[int]] = {}
    for answer in answers:
        if answer.place >= 0:
            places.setdefault(answer.question.problem, Counter())[answer.place] += 1
    return {problem: max(counts, key=lambda place: counts[place]) for problem, counts in places.items()}


def share(values: Iterable[bool]) -> float:
    """How many of them are so; 0 of none, which shows nothing."""
    found = list(values)
    return sum(found) / max(1, len(found))

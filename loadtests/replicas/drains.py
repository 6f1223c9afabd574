"""One of two replicas gets SIGTERM while questions come, ends, and is started again on its port."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loadtests.replicas.asking import Answer, Asking, placed
from loadtests.replicas.pair import Pair, Starts
from loadtests.replicas.questions import Question
from loadtests.replicas.ways import TIMEOUT_S, WAYS, warm_up
from surefoot_client import AsyncSurefootClient

LEAVING, STAYING = 0, 1
ROUNDS_BEFORE, ROUNDS_AFTER = 2, 2


@dataclass(frozen=True, slots=True)
class Drained:
    """The answers by when they were asked for: before SIGTERM, in the round in which it came, when the replica had
    ended, until it was back, and after that. `status` is its exit status."""

    name: str
    status: int
    before: Sequence[Answer]
    leaving: Sequence[Answer]
    without: Sequence[Answer]
    returning: Sequence[Answer]
    after: Sequence[Answer]

    @property
    def answers(self) -> list[Answer]:
        return [*self.before, *self.leaving, *self.without, *self.returning, *self.after]

    @property
    def kept(self) -> float:
        """Of the answers about the staying replica's own problems while the other was away, the share that it gave."""
        own = {problem for problem, place in homes(self.before).items() if place == STAYING}
        return share(answer.place == STAYING for answer in self.without if answer.question.problem in own)

    @property
    def returned(self) -> float:
        """Of the answers about the leaving replica's own problems after its return, the share that it gave."""
        own = {problem for problem, place in homes(self.before).items() if place == LEAVING}
        return share(answer.place == LEAVING for answer in self.after if answer.question.problem in own)

    def known(self, answers: Sequence[Answer]) -> float:
        """The share of tokens that was known from before, of the staying replica's own problems."""
        own = {problem for problem, place in homes(self.before).items() if place == STAYING}
        about = [answer for answer in answers if answer.question.problem in own]
        return sum(answer.known for answer in about) / max(1, sum(answer.given for answer in about))


def homes(answers: Sequence[Answer]) -> dict[int, int]:
    """The replica that scored most of a problem's questions; the first of two that scored as many."""
    places: dict[int, Counter[int]] = {}
    for answer in answers:
        if answer.place >= 0:
            places.setdefault(answer.question.problem, Counter())[answer.place] += 1
    return {problem: max(counts, key=lambda place: counts[place]) for problem, counts in places.items()}


def share(values: Iterator[bool]) -> float:
    """How many of them are so; 0 of none, which shows nothing."""
    found = list(values)
    return sum(found) / max(1, len(found))


def drain(name: str, starts: Starts, rounds: Sequence[Sequence[Question]], num_callers: int) -> Drained:
    """Ask by that way without a pause while a replica leaves and comes back; `rounds` begin again after the last."""
    with Pair(starts) as pair:
        warm_up(pair)
        with WAYS[name](pair.urls) as address:
            return asyncio.run(_drain(name, pair, rounds, address, num_callers))


async def _drain(
    name: str, pair: Pair, rounds: Sequence[Sequence[Question]], address: str | Sequence[str], num_callers: int
) -> Drained:
    replica, coming = pair.replicas[LEAVING], itertools.cycle(rounds)
    async with AsyncSurefootClient(address, timeout_s=TIMEOUT_S) as client:
        asking = Asking(client, num_callers)

        async def ask(num_rounds: int) -> list[Answer]:
            return [answer for _ in range(num_rounds) for answer in await asking.round(next(coming))]

        async def ask_until(done: asyncio.Future[None]) -> list[Answer]:
            found = await ask(1)
            # A client leaves one that has failed alone for a while: only then is it as before.
            while not done.done() or any(server.available_in_s for server in client.servers):
                found += await ask(1)
            await done
            return found

        before = await ask(ROUNDS_BEFORE)
        last = asyncio.create_task(ask(1))
        await asking.until_begun(len(rounds[0]) // 3)
        status = await asyncio.to_thread(replica.stop)
        leaving = await last
        without = await ask(1)
        returning = await ask_until(asyncio.ensure_future(asyncio.to_thread(replica.start)))
        after = await ask(ROUNDS_AFTER)
    parts = [await placed(answers, pair) for answers in (before, leaving, without, returning, after)]
    return Drained(name, status, *parts)

"""One of two replicas gets SIGTERM while questions come, ends, and is started again on its port."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.replicas.asking import Answer, Asking, homes, placed, share
from loadtests.replicas.pair import Pair, Starts
from loadtests.replicas.questions import Question, without_end
from loadtests.replicas.ways import NEED_NGINX, TIMEOUT_S, WAYS, warm_up
from surefoot_client import AsyncSurefootClient

LEAVING, STAYING = 0, 1


@dataclass(frozen=True, slots=True)
class Drained:
    """The answers by when they were asked for: one after the other before all else, which tells where each problem is
    when nothing waits; then many at a time before SIGTERM, in the round in which it came, when the replica had ended,
    until it was back, and after that; at last one after the other again. `status` is its exit status."""

    name: str
    status: int
    first: Sequence[Answer]
    before: Sequence[Answer]
    leaving: Sequence[Answer]
    without: Sequence[Answer]
    returning: Sequence[Answer]
    after: Sequence[Answer]
    last: Sequence[Answer]

    @property
    def answers(self) -> list[Answer]:
        return [
            *self.first, *self.before, *self.leaving, *self.without, *self.returning, *self.after, *self.last
        ]  # fmt: skip

    @property
    def kept(self) -> float:
        """Of the answers about the staying replica's own problems while the other was away, the share that it gave."""
        return share(each.place == STAYING for each in self._of(STAYING, self.without))

    @property
    def returned(self) -> float:
        """Of the answers about the leaving replica's own problems after its return, the share that it gave when nothing
        else waited."""
        return share(each.place == LEAVING for each in self._of(LEAVING, self.last))

    def known(self, answers: Sequence[Answer]) -> float:
        """The share of tokens that was known from before, of the staying replica's own problems."""
        about = self._of(STAYING, answers)
        return sum(answer.known for answer in about) / max(1, sum(answer.given for answer in about))

    def _of(self, place: int, answers: Sequence[Answer]) -> list[Answer]:
        own = {problem for problem, home in homes(self.first).items() if home == place}
        return [answer for answer in answers if answer.question.problem in own]


def drain(name: str, starts: Starts, rounds: Sequence[Sequence[Question]], num_callers: int) -> Drained:
    """Ask by that way without a pause while a replica leaves and comes back; after the last of `rounds` more follow."""
    with Pair(starts) as pair:
        warm_up(pair)
        with WAYS[name](pair.urls) as address:
            return asyncio.run(_drain(name, pair, rounds, address, num_callers))


async def _drain(
    name: str, pair: Pair, rounds: Sequence[Sequence[Question]], address: str | Sequence[str], num_callers: int
) -> Drained:
    replica, coming = pair.replicas[LEAVING], without_end(rounds)
    # What nginx does not send on is to be seen, not mended by the client.
    retries = {"max_retries": 0} if name in NEED_NGINX else {}
    async with AsyncSurefootClient(address, timeout_s=TIMEOUT_S, **retries) as client:
        asking = Asking(client, num_callers)

        async def ask_until(done: asyncio.Future[None]) -> list[Answer]:
            found = await asking.round(next(coming))
            # A client leaves one that has failed alone for a while: only then is it as before.
            while not done.done() or any(server.available_in_s for server in client.servers):
                found += await asking.round(next(coming))
            await done
            return found

        first = await asking.one_by_one(next(coming))
        before = await asking.round(next(coming))
        under_way = asyncio.create_task(asking.round(next(coming)))
        await asking.until_begun(len(rounds[0]) // 3)
        status = await asyncio.to_thread(replica.stop)
        leaving = await under_way
        without = await asking.round(next(coming))
        returning = await ask_until(asyncio.ensure_future(asyncio.to_thread(replica.start)))
        after = await asking.round(next(coming))
        last = await asking.one_by_one(next(coming))
    parts = [await placed(answers, pair) for answers in (first, before, leaving, without, returning, after, last)]
    return Drained(name, status, *parts)

"""What backends give, without what it cost."""

import asyncio
from collections.abc import Callable, Sequence

from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import Forwarded, ForwardItem, Rows


def rows_of(results: Sequence[Forwarded]) -> list[Rows]:
    return [result.rows for result in results]


def with_rows(results: Sequence[Forwarded], change: Callable[[Rows], Rows]) -> list[Forwarded]:
    """The same with other rows."""
    return [Forwarded(change(result.rows), result.cached_tokens) for result in results]


async def outcomes(futures: Sequence[asyncio.Future]) -> list:
    """What each settled with, failures among them; a test that hangs fails after five seconds."""
    async with asyncio.timeout(5):
        return await asyncio.gather(*futures, return_exceptions=True)


def alone(item: ForwardItem) -> Rows:
    """What the fake backend gives for the one item."""
    return rows_of(FakeBackend().forward([item]))[0]

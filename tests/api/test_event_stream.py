"""A stream of events below the routes: whatever the client does, the work behind it ends with the response."""

import asyncio

from surefoot.api.event_stream import EventStream


class Work:
    """Numbers without end; notes that it was closed."""

    def __init__(self) -> None:
        self.closed = False

    async def numbers(self):
        try:
            yield 0
            for number in range(1, 10**6):
                await asyncio.sleep(0)
                yield number
        finally:
            self.closed = True


async def begun(work: Work, timeout_s: float = 30.0) -> EventStream:
    numbers = work.numbers()
    first = await anext(numbers)
    return EventStream(first, numbers, lambda number: ("n", str(number)), timeout_s=timeout_s, count_error=[].append)


async def test_a_client_that_leaves_while_it_does_not_read_ends_the_work() -> None:
    work, stuck = Work(), asyncio.Event()

    async def send(message) -> None:
        if message["type"] == "http.response.body":
            stuck.set()
            await asyncio.Event().wait()

    async def receive():
        await stuck.wait()
        return {"type": "http.disconnect"}

    stream = await begun(work)
    async with asyncio.timeout(5):
        await stream({"type": "http"}, receive, send)
    assert work.closed


async def test_a_client_that_leaves_before_the_first_byte_ends_the_work() -> None:
    work = Work()

    async def send(message) -> None:
        await asyncio.Event().wait()

    async def receive():
        return {"type": "http.disconnect"}

    stream = await begun(work)
    async with asyncio.timeout(5):
        await stream({"type": "http"}, receive, send)
    assert work.closed


async def test_cancelling_the_response_ends_the_work() -> None:
    work, sent = Work(), []

    async def send(message) -> None:
        sent.append(message)
        await asyncio.sleep(0)

    async def receive():
        await asyncio.Event().wait()

    running = asyncio.create_task((await begun(work))({"type": "http"}, receive, send))
    async with asyncio.timeout(5):
        while len(sent) < 3:  # noqa: ASYNC110 (the task makes it true)
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert work.closed

"""A stream of events below the routes: whatever the client does, the work behind it ends with the response."""

import asyncio

from surefoot.api.event_stream import EventStream


class Work:
    """Numbers without end, or up to the one after which it is silent until `goes_on`; notes that it was closed."""

    def __init__(self, silent_after: int | None = None) -> None:
        self.silent_after = silent_after
        self.goes_on = asyncio.Event()
        self.closed = False

    async def numbers(self):
        try:
            yield 0
            for number in range(1, 10**6):
                if self.silent_after == number - 1:
                    await self.goes_on.wait()
                await asyncio.sleep(0)
                yield number
        finally:
            self.closed = True


async def begun(work: Work, timeout_s: float = 30.0, **options) -> EventStream:
    numbers = work.numbers()
    first = await anext(numbers)
    view = options.pop("view", lambda number: ("n", str(number)))
    return EventStream(first, numbers, view, timeout_s=timeout_s, count_error=[].append, **options)


class Listener:
    """A client that stays until it `leaves`; `told` is what it was sent."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()
        self.told = ""

    async def send(self, message) -> None:
        self.told += message.get("body", b"").decode()

    async def receive(self):
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def hear(self, stream: EventStream, until: str, then) -> None:
        """Listens until it was told `until`, calls `then`, and stays to the end."""
        running = asyncio.create_task(stream({"type": "http"}, self.receive, self.send))
        async with asyncio.timeout(5):
            while until not in self.told:  # noqa: ASYNC110 (the task makes it true)
                await asyncio.sleep(0)
            then()
            await running


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


async def test_a_silence_is_broken_by_comments() -> None:
    listener, stream = Listener(), await begun(Work(silent_after=0), keep_alive_s=0.001)
    await listener.hear(stream, ": keep-alive\n\n" * 3, listener.leaves.set)
    assert listener.told.startswith("event: n\ndata: 0\n\n: keep-alive\n\n")


async def test_no_event_is_lost_by_a_comment() -> None:
    work, listener = Work(silent_after=1), Listener()
    stream = await begun(work, keep_alive_s=0.001)
    heard = asyncio.create_task(listener.hear(stream, "data: 2\n\n", listener.leaves.set))
    async with asyncio.timeout(5):
        while ": keep-alive" not in listener.told:  # noqa: ASYNC110 (the task makes it true)
            await asyncio.sleep(0)
    work.goes_on.set()
    await heard
    events = [block for block in listener.told.split("\n\n") if block.startswith("event")]
    assert events[:3] == [f"event: n\ndata: {number}" for number in range(3)]


async def test_what_comes_in_time_needs_no_comment() -> None:
    listener, stream = Listener(), await begun(Work())
    await listener.hear(stream, "data: 9\n\n", listener.leaves.set)
    assert "keep-alive" not in listener.told


async def test_a_client_that_leaves_in_a_silence_ends_the_work() -> None:
    work, listener = Work(silent_after=0), Listener()
    await listener.hear(await begun(work, keep_alive_s=0.001), ": keep-alive", listener.leaves.set)
    assert work.closed


async def test_comments_do_not_lengthen_the_time_there_is() -> None:
    work, listener = Work(silent_after=0), Listener()
    stream = await begun(work, timeout_s=0.05, keep_alive_s=0.001)
    await listener.hear(stream, "request_timeout", lambda: None)
    assert listener.told.rpartition("event: error\ndata: ")[2].startswith('{"error":')


async def test_an_event_without_a_name_is_data_alone() -> None:
    listener = Listener()
    stream = await begun(Work(), view=lambda number: (None, str(number)))
    await listener.hear(stream, "data: 2", listener.leaves.set)
    assert listener.told.startswith("data: 0\n\ndata: 1\n\ndata: 2")


async def test_an_error_has_the_name_it_was_given() -> None:
    listener = Listener()
    stream = await begun(Work(silent_after=0), timeout_s=0.01, error_name=None)
    await listener.hear(stream, "request_timeout", lambda: None)
    assert "event: error" not in listener.told

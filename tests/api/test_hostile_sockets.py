"""Callers that misuse the connection itself: the service's own server on a real socket, spoken to in raw bytes."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import pytest

from surefoot.api.app import create_app
from surefoot.api.drain import Drain
from surefoot.api.server import Hooks, Server
from surefoot.api.service import Limits
from surefoot.wiring.fake_service import FakeParts, FakeService, build_fake_service

ITEM = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"]}


def request(body: bytes, *headers: str, path: str = "/score", length: int | None = None) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: test", "content-type: application/json", *headers]
    if not any(header.startswith("transfer-encoding") for header in headers):
        lines.append(f"content-length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def asking(problem: str, *headers: str) -> bytes:
    return request(json.dumps(ITEM | {"problem": problem}).encode(), f"x-request-id: {problem}", *headers)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: dict


@dataclass(frozen=True)
class Caller:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def answer(self) -> Answer:
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:-2])
            body = await self.reader.readexactly(int(headers["content-length"]))
        return Answer(int(head[0].split()[1]), headers, json.loads(body))

    async def is_hung_up_on(self) -> bool:
        async with asyncio.timeout(10):
            return await self.reader.read() == b""

    def hang_up(self) -> None:
        """Reset the connection, as the system does for a process that was killed."""
        self.writer.transport.abort()


@dataclass(frozen=True)
class Listening:
    fake: FakeService
    parts: FakeParts
    port: int
    callers: list[Caller]

    async def call(self) -> Caller:
        self.callers.append(Caller(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.callers[-1]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 (a thread or another task makes it true)
                await asyncio.sleep(0.001)


@pytest.fixture
async def listen() -> AsyncIterator[Callable[..., Awaitable[Listening]]]:
    """Starts the server over `FakeParts` given by keywords; stops it after the test."""
    async with AsyncExitStack() as running:

        async def start(hooks: Hooks | None = None, **parts) -> Listening:
            chosen = FakeParts(**parts)
            fake = build_fake_service(chosen)
            drain = Drain(1.0)
            server = Server(create_app(fake.service, drain), drain, hooks)
            listener = running.enter_context(socket.create_server(("127.0.0.1", 0)))
            serving = asyncio.create_task(server.serve([listener]))
            listening = Listening(fake, chosen, listener.getsockname()[1], [])

            async def stop() -> None:
                chosen.backend.release()
                for caller in listening.callers:
                    caller.writer.close()
                    with suppress(ConnectionError):
                        await caller.writer.wait_closed()
                server.should_exit = True
                await serving

            running.push_async_callback(stop)
            await listening.until(lambda: server.started and fake.service.registry.is_ready())
            return listening

        yield start


async def test_pipelined_requests_are_answered_in_order(listen) -> None:
    caller = await (await listen()).call()
    await caller.send(asking("one") + asking("two") + asking("three"))
    assert [(await caller.answer()).body["id"] for _ in range(3)] == ["one", "two", "three"]


async def test_a_refusal_does_not_disturb_what_is_pipelined_behind_it(listen) -> None:
    caller = await (await listen()).call()
    await caller.send(request(b"{") + asking("two"))
    assert [(await caller.answer()).status for _ in range(2)] == [400, 200]


async def test_a_chunked_body_without_length_is_read(listen) -> None:
    caller = await (await listen()).call()
    content = json.dumps(ITEM).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in content) + b"0\r\n\r\n"
    await caller.send(request(chunks, "transfer-encoding: chunked"))
    assert (await caller.answer()).status == 200


async def test_a_chunked_body_without_end_is_refused_at_the_limit(listen) -> None:
    listening = await listen(limits=Limits(max_body_bytes=2000))
    caller = await listening.call()
    await caller.send(request(b"3e8\r\n" + b" " * 1000 + b"\r\n", "transfer-encoding: chunked"))
    await caller.send((b"3e8\r\n" + b" " * 1000 + b"\r\n") * 2)
    answer = await caller.answer()
    assert (answer.status, answer.body["error"]["code"]) == (413, "body_too_large")


async def test_a_body_that_does_not_come_is_answered_in_time(listen) -> None:
    caller = await (await listen(limits=Limits(body_timeout_s=0.1))).call()
    await caller.send(request(b'{"problem"', length=100))
    answer = await caller.answer()
    assert (answer.status, answer.body["error"]["code"]) == (408, "body_timeout")


async def test_a_body_that_drips_has_no_more_time(listen) -> None:
    caller = await (await listen(limits=Limits(body_timeout_s=0.2))).call()
    await caller.send(request(b"", length=1000))

    async def drip() -> None:
        with suppress(ConnectionError):
            while True:
                await caller.send(b" ")
                await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    answer = await caller.answer()
    dripping.cancel()
    assert answer.status == 408


async def test_who_was_too_slow_is_hung_up_on(listen) -> None:
    caller = await (await listen(limits=Limits(body_timeout_s=0.1))).call()
    await caller.send(request(b"{", length=100))
    assert (await caller.answer()).headers["connection"] == "close"
    assert await caller.is_hung_up_on()


async def test_half_a_head_is_hung_up_on_and_idle_callers_are_not(listen) -> None:
    listening = await listen(Hooks(head_timeout_s=lambda: 0.5))
    idle, half = await listening.call(), await listening.call()
    idle.writer.write(asking("first"))
    assert (await idle.answer()).status == 200
    half.writer.write(b"POST /score HTTP/1.1\r\nhost: test\r\n")
    async with asyncio.timeout(10):
        assert await half.reader.read() == b""
    idle.writer.write(asking("second"))
    assert (await idle.answer()).status == 200


async def test_slow_bodies_do_not_hold_up_others(listen) -> None:
    listening = await listen()
    for _ in range(50):
        await (await listening.call()).send(request(b"{", length=100))
    caller = await listening.call()
    await caller.send(asking("quick"))
    assert (await caller.answer()).status == 200


async def test_a_whole_body_leaves_the_work_all_its_time(listen) -> None:
    listening = await listen(limits=Limits(body_timeout_s=0.05))
    listening.parts.backend.hold()
    caller = await listening.call()
    await caller.send(asking("patient"))
    await listening.until(lambda: bool(listening.parts.backend.batches))
    await asyncio.sleep(0.15)
    listening.parts.backend.release()
    assert (await caller.answer()).status == 200


async def held(listening: Listening) -> tuple[Caller, Caller]:
    """A caller whose work runs, and one whose work waits behind it."""
    listening.parts.backend.hold()
    first, second = await listening.call(), await listening.call()
    await first.send(asking("first"))
    await listening.until(lambda: len(listening.parts.backend.batches) == 1)
    await second.send(asking("second"))
    await listening.until(lambda: listening.fake.scheduler.snapshot().num_requests == 1)
    return first, second


async def test_work_of_a_caller_that_hung_up_is_withdrawn(listen) -> None:
    listening = await listen()
    _, second = await held(listening)
    second.hang_up()
    await listening.until(lambda: listening.fake.scheduler.snapshot().num_requests == 0)


async def test_neighbours_of_a_caller_that_hung_up_are_answered(listen) -> None:
    listening = await listen()
    first, second = await held(listening)
    neighbour = await listening.call()
    await neighbour.send(asking("neighbour"))
    await listening.until(lambda: listening.fake.scheduler.snapshot().num_requests == 2)
    second.hang_up()
    await listening.until(lambda: listening.fake.scheduler.snapshot().num_requests == 1)
    listening.parts.backend.release()
    assert [(await caller.answer()).body["id"] for caller in (first, neighbour)] == ["first", "neighbour"]


async def test_hanging_up_inside_the_body_leaves_nothing_behind(listen) -> None:
    listening = await listen()
    for _ in range(20):
        caller = await listening.call()
        await caller.send(request(b'{"problem": "p"', length=1000))
        caller.hang_up()
    caller = await listening.call()
    await caller.send(asking("after"))
    assert ((await caller.answer()).status, len(listening.parts.backend.batches)) == (200, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        b"GET / HTTP/9.9\r\n\r\n",
        request(b"{}", "content-length: 2, 3"),
        request(b"{}", length=-5),
        request(b"zz\r\n", "transfer-encoding: chunked"),
    ],
    ids=["tls", "version", "two-lengths", "negative", "chunk-size"],
)
async def test_what_is_no_http_is_hung_up_on_and_others_are_served(listen, content) -> None:
    listening = await listen()
    caller = await listening.call()
    await caller.send(content)
    async with asyncio.timeout(10):
        said = await caller.reader.read()
    assert said.startswith(b"HTTP/1.1 400") or said == b""
    after = await listening.call()
    await after.send(asking("after"))
    assert (await after.answer()).status == 200

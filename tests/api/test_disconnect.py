"""A client that leaves: the work it asked for stops, and nobody else notices."""

import asyncio

import pytest

from surefoot.sampling.fake_sampler import FakeSampler

ITEM = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"]}


async def hang_up(call, running) -> None:
    call.disconnect.set()
    async with asyncio.timeout(5):
        await running


@pytest.mark.parametrize("path", ["/sample", "/best_of_n"])
async def test_a_client_that_leaves_cancels_the_sampler(serve, raw_call, path) -> None:
    api = await serve(sampler=FakeSampler(["x"], hold=True))
    call = raw_call(path, {"problem": "p"})
    running = asyncio.create_task(call.run(api.app))
    await api.until(lambda: len(api.parts.sampler.prompts) == 1)
    await hang_up(call, running)
    assert api.parts.sampler.num_cancelled == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/score", ITEM),
        ("/rerank", {"problem": "p", "candidates": ["a"], "strategy": "outcome"}),
        ("/pooling", {"messages": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "s"}]}),
    ],
)
async def test_a_client_that_leaves_frees_the_queue(api, raw_call, path, body) -> None:
    api.parts.backend.hold()
    first = asyncio.create_task(api.http.post("/score", json=ITEM))
    await api.until(lambda: len(api.parts.backend.batches) == 1)
    call = raw_call(path, body)
    running = asyncio.create_task(call.run(api.app))
    await api.until(lambda: api.fake.scheduler.snapshot().num_requests == 1)
    await hang_up(call, running)
    left = api.fake.scheduler.snapshot().num_requests
    api.parts.backend.release()
    await first
    assert left == 0


async def test_work_of_a_client_that_left_never_runs(api, raw_call) -> None:
    api.parts.backend.hold()
    first = asyncio.create_task(api.http.post("/score", json=ITEM))
    await api.until(lambda: len(api.parts.backend.batches) == 1)
    call = raw_call("/score", ITEM | {"problem": "gone"})
    running = asyncio.create_task(call.run(api.app))
    await api.until(lambda: api.fake.scheduler.snapshot().num_requests == 1)
    await hang_up(call, running)
    api.parts.backend.release()
    await first
    await api.post("/score", ITEM)
    assert [len(batch) for batch in api.parts.backend.batches] == [1, 1]


async def test_a_neighbour_in_the_queue_is_served(api, raw_call) -> None:
    api.parts.backend.hold()
    first = asyncio.create_task(api.http.post("/score", json=ITEM))
    await api.until(lambda: len(api.parts.backend.batches) == 1)
    call = raw_call("/score", ITEM)
    running = asyncio.create_task(call.run(api.app))
    neighbour = asyncio.create_task(api.http.post("/score", json=ITEM))
    await api.until(lambda: api.fake.scheduler.snapshot().num_requests == 2)
    await hang_up(call, running)
    api.parts.backend.release()
    assert [(await answer).status_code for answer in (first, neighbour)] == [200, 200]


async def test_a_client_that_left_is_counted_as_499(serve, raw_call) -> None:
    api = await serve(sampler=FakeSampler(["x"], hold=True))
    call = raw_call("/sample", {"problem": "p"})
    running = asyncio.create_task(call.run(api.app))
    await api.until(lambda: len(api.parts.sampler.prompts) == 1)
    await hang_up(call, running)
    assert 'surefoot_requests_total{route="/sample",status="499"} 1.0' in (await api.http.get("/metrics")).text


async def test_a_client_that_stays_gets_its_answer(api, raw_call) -> None:
    call = raw_call("/score", ITEM)
    await call.run(api.app)
    assert call.sent[0]["status"] == 200

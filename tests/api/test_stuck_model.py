"""A forward pass that does not end: every caller is answered at once, and the model is not ready until it has ended."""

import asyncio

import pytest

from surefoot.scheduling.limits import SchedulerLimits

WORK = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"]}
PROBLEM = {"role": "user", "content": "2 + 3?"}
STUCK_AFTER_S = 0.5
NUM_INPUTS = 7


class HandClock:
    """A monotonic clock that moves only when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def stuck(serve):
    """An API whose reward models share a pass that is stuck, and the answers of those who ran or waited then."""
    clock = HandClock()
    api = await serve(queue=SchedulerLimits(stuck_after_s=STUCK_AFTER_S), clock=clock)
    api.parts.backend.hold()
    work = [
        ("/score", WORK),
        ("/score", WORK),
        ("/rerank", {"problem": "2 + 3?", "candidates": ["5", "6"]}),
        ("/pooling", {"model": "prm", "messages": [PROBLEM, {"role": "assistant", "content": "5"}]}),
        ("/v1/chat/completions", {"model": "default", "messages": [PROBLEM], "n_candidates": 2}),
    ]

    def all_there() -> bool:
        return sum(map(len, api.parts.backend.batches)) + api.fake.scheduler.snapshot().num_requests == NUM_INPUTS

    waiting = asyncio.gather(*(api.http.post(path, json=body) for path, body in work))
    await api.until(all_there)
    clock.now += STUCK_AFTER_S
    async with asyncio.timeout(10):
        answers = await waiting
    yield api, answers
    api.parts.backend.release()


async def test_items_fail_with_an_error_to_come_back_for(stuck) -> None:
    _, answers = stuck
    errors = [answer.json()["results"][0]["error"] for answer in answers[:3]]
    assert [error["code"] for error in errors] == ["model_stopped"] * 3
    assert "stuck: no forward pass finished in 0.5 s" in errors[0]["message"]


async def test_whole_requests_are_told_to_come_back(stuck) -> None:
    _, answers = stuck
    assert [(answer.status_code, answer.headers.get("retry-after")) for answer in answers[3:]] == [(503, "1")] * 2


async def test_a_model_whose_pass_is_stuck_is_not_ready(stuck) -> None:
    api, _ = stuck
    ready = await api.http.get("/ready")
    assert (ready.status_code, set(ready.json()["models"].values())) == (503, {"failed"})
    assert ready.json()["details"]["prm"] == "stuck: no forward pass finished in 0.5 s"


async def test_new_requests_are_refused_at_once(stuck) -> None:
    api, _ = stuck
    error = await api.refused("/score", WORK, 503)
    assert error["code"] == "not_ready"
    assert "stuck" in error["message"]


async def test_the_process_is_still_alive(stuck) -> None:
    api, _ = stuck
    assert await api.get("/health") == {"status": "ok"}


async def test_a_model_whose_pass_is_stuck_is_not_listed(stuck) -> None:
    api, _ = stuck
    assert (await api.get("/v1/models"))["data"] == []


async def test_it_is_ready_again_when_the_pass_ends_after_all(stuck) -> None:
    api, _ = stuck
    api.parts.backend.release()
    await api.until(api.fake.service.registry.is_ready)
    assert "score" in (await api.post("/score", WORK))["results"][0]


async def test_a_model_whose_loop_crashed_is_not_ready(serve) -> None:
    api = await serve()
    [loop] = [task for task in asyncio.all_tasks() if task.get_name().startswith("scheduler ")]
    loop.cancel()
    await api.until(lambda: api.fake.service.registry.fault() is not None)
    assert (await api.http.get("/ready")).status_code == 503
    assert (await api.refused("/score", WORK, 503))["code"] == "not_ready"

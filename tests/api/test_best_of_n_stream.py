"""What a streamed POST /best_of_n promises: events as things happen, and at the end what the plain answer says."""

import asyncio
import json
from typing import get_args

import pytest

from surefoot.domain import Strategy
from surefoot.errors import SamplerUnavailable
from surefoot.sampling.fake_sampler import FakeSampler

UNANIMOUS = ["The answer is 5."]


def body(**fields):
    return {"problem": "2 + 3?", "sampling": {"n": 3}, "stream": True} | fields


def parse(text: str) -> list[tuple[str, dict]]:
    assert text.endswith("\n\n")
    events = []
    for block in text[:-2].split("\n\n"):
        name, data = block.split("\n")
        events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return events


async def stream(api, **fields) -> list[tuple[str, dict]]:
    response = await api.http.post("/best_of_n", json=body(**fields))
    assert response.status_code == 200, response.text
    return parse(response.text)


def untimed(answer: dict) -> dict:
    return {name: value for name, value in answer.items() if name not in ("id", "timing")}


class Stalling(FakeSampler):
    """Draws one candidate, then fails or waits until it is cancelled."""

    def __init__(self, failure: Exception | None = None) -> None:
        super().__init__(UNANIMOUS)
        self.failure = failure

    async def sample(self, prompt, options):
        try:
            async for candidate in super().sample(prompt, options):
                yield candidate
                if self.failure is not None:
                    raise self.failure
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.num_cancelled += 1
            raise


async def test_every_candidate_and_score_comes_before_the_result(api) -> None:
    names = [name for name, _ in await stream(api)]
    assert (names[0], names.count("candidate"), names.count("score"), names[6:]) == ("candidate", 3, 3, ["result"])


@pytest.mark.parametrize("strategy", get_args(Strategy))
async def test_the_result_is_the_plain_answer(api, strategy) -> None:
    ranking = {"strategy": strategy, "return_documents": True}
    plain = await api.post("/best_of_n", body(stream=False, ranking=ranking))
    assert untimed((await stream(api, ranking=ranking))[-1][1]) == untimed(plain)


async def test_an_early_stop_is_the_same_either_way(serve) -> None:
    api = await serve(sampler=FakeSampler(UNANIMOUS))
    fields = {"sampling": {"n": 16}, "ranking": {"strategy": "majority"}, "early_stop": {}}
    plain = await api.post("/best_of_n", body(stream=False, **fields))
    assert untimed((await stream(api, **fields))[-1][1]) == untimed(plain)


async def test_candidates_are_those_of_the_result(api) -> None:
    events = await stream(api)
    assert [data for name, data in events if name == "candidate"] == events[-1][1]["candidates"]


async def test_scores_are_those_of_the_result(api) -> None:
    events = await stream(api, ranking={"strategy": "process_outcome"})
    ranked = {one["index"]: one for one in events[-1][1]["ranking"]["results"]}
    for name, data in events:
        if name == "score":
            assert data.items() <= ranked[data["index"]].items()


async def test_a_candidate_that_cannot_be_scored_says_so(serve) -> None:
    api = await serve(sampler=FakeSampler([""]))
    assert [data["error"]["code"] for name, data in await stream(api) if name == "score"] == ["no_steps"] * 3


async def test_an_event_is_one_line_whatever_the_text(serve) -> None:
    api = await serve(sampler=FakeSampler(["a\n\nevent: result\ndata: {}\r\n\u2028\U0001f600 5"]))
    assert [name for name, _ in await stream(api, sampling={"n": 1})] == ["candidate", "score", "result"]


async def test_proxies_pass_the_stream_on(api) -> None:
    headers = (await api.http.post("/best_of_n", json=body())).headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")


async def test_the_native_prefix_streams_too(api) -> None:
    response = await api.http.post("/surefoot/v1/best_of_n", json=body())
    assert parse(response.text)[-1][0] == "result"


async def test_a_sampler_that_is_down_is_told_by_the_status(api) -> None:
    api.parts.sampler.fails_with = "the engine did not start"
    assert (await api.refused("/best_of_n", body(), 503))["code"] == "sampler_unavailable"


@pytest.mark.parametrize(
    ("failure", "code"),
    [(SamplerUnavailable("the engine died"), "sampler_unavailable"), (ValueError("secret"), "internal_error")],
)
async def test_a_sampler_that_dies_in_mid_stream_ends_it_with_an_error(serve, failure, code) -> None:
    api = await serve(sampler=Stalling(failure))
    name, data = (await stream(api))[-1]
    assert (name, set(data), set(data["error"])) == ("error", {"error"}, {"code", "message", "type", "param"})
    assert (data["error"]["code"], "secret" in str(data)) == (code, False)


async def test_an_error_in_mid_stream_is_counted(serve) -> None:
    api = await serve(sampler=Stalling(SamplerUnavailable("the engine died")))
    await stream(api)
    assert 'surefoot_errors_total{code="sampler_unavailable"} 1.0' in (await api.http.get("/metrics")).text


async def test_a_stream_that_takes_too_long_ends_with_an_error(serve) -> None:
    from surefoot.api.service import Limits

    api = await serve(sampler=Stalling(), limits=Limits(request_timeout_s=0.1))
    name, data = (await stream(api))[-1]
    assert (name, data["error"]["code"], api.parts.sampler.num_cancelled) == ("error", "request_timeout", 1)


async def hang_up_after_a_candidate(api, raw_call) -> None:
    call = raw_call("/best_of_n", body())
    running = asyncio.create_task(call.run(api.app))
    await api.until(lambda: any(b"event: candidate" in message.get("body", b"") for message in call.sent))
    call.disconnect.set()
    async with asyncio.timeout(5):
        await running


async def test_a_client_that_leaves_in_mid_stream_cancels_the_sampler(serve, raw_call) -> None:
    api = await serve(sampler=Stalling())
    await hang_up_after_a_candidate(api, raw_call)
    assert api.parts.sampler.num_cancelled == 1


async def test_a_client_that_leaves_in_mid_stream_frees_the_queue(serve, raw_call) -> None:
    api = await serve(sampler=Stalling())
    api.parts.backend.hold()
    first = asyncio.create_task(api.http.post("/score", json={"problem": "p", "steps": ["s"]}))
    await api.until(lambda: len(api.parts.backend.batches) == 1)
    call = raw_call("/best_of_n", body())
    running = asyncio.create_task(call.run(api.app))
    await api.until(lambda: api.fake.scheduler.snapshot().num_requests == 1)
    call.disconnect.set()
    async with asyncio.timeout(5):
        await running
    left = api.fake.scheduler.snapshot().num_requests
    api.parts.backend.release()
    await first
    assert left == 0


async def test_a_client_that_leaves_before_the_first_event_cancels_the_sampler(serve, raw_call) -> None:
    api = await serve(sampler=FakeSampler(UNANIMOUS, hold=True))
    call = raw_call("/best_of_n", body())
    running = asyncio.create_task(call.run(api.app))
    await api.until(lambda: len(api.parts.sampler.prompts) == 1)
    call.disconnect.set()
    async with asyncio.timeout(5):
        await running
    assert api.parts.sampler.num_cancelled == 1

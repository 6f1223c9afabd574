"""A generator with more to draw than callers wait for answers 429 with Retry-After, on every route that samples."""

import asyncio

import pytest

from surefoot.sampling.bounded_sampler import NUM_TELLING, BoundedSampler
from surefoot.sampling.fake_sampler import FakeSampler


class Stalling(FakeSampler):
    """Finishes all but the last candidate of its first request at once, and that when it is told to."""

    def __init__(self) -> None:
        super().__init__(["The answer is 5."])
        self.may_end = asyncio.Event()

    async def sample(self, prompt, options):
        async for candidate in super().sample(prompt, options):
            if candidate.index == NUM_TELLING:
                await self.may_end.wait()
            yield candidate


CHAT = {"model": "busy", "messages": [{"role": "user", "content": "2 + 3?"}]}
ASKED = [
    ("/sample", {"problem": "2 + 3?", "generator": "busy"}),
    ("/best_of_n", {"problem": "2 + 3?", "sampling": {"n": 2, "generator": "busy"}}),
    ("/best_of_n", {"problem": "2 + 3?", "sampling": {"n": 2, "generator": "busy"}, "stream": True}),
    ("/v1/chat/completions", CHAT),
    ("/v1/chat/completions", CHAT | {"stream": True}),
]


@pytest.mark.parametrize(("path", "body"), ASKED)
async def test_it_refuses_and_says_when_to_come_again(serve, path, body) -> None:
    stalling = Stalling()
    api = await serve(further_samplers={"busy": BoundedSampler(stalling, 1e-9)})
    first = {"problem": "2 + 3?", "generator": "busy", "n": NUM_TELLING + 1}
    running = asyncio.create_task(api.http.post("/sample", json=first))
    await api.until(lambda: len(stalling.prompts) == 1)
    await asyncio.sleep(0.05)
    refused = await api.http.post(path, json=body)
    stalling.may_end.set()
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full"), refused.text
    assert int(refused.headers["retry-after"]) >= 1
    assert (await running).status_code == 200
    told = (await api.http.get("/metrics")).text
    assert 'surefoot_admission_refusals_total{backend="busy",reason="queue_full"} 1.0' in told
    failures = [
        line for line in told.splitlines() if line.startswith('surefoot_sampler_failures_total{generator="busy"}')
    ]
    assert all(line.endswith(" 0.0") for line in failures)

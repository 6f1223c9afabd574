"""A caller who brings much does not hold up the others: turns go by key, else by address."""

import asyncio
from functools import partial

import pytest

from surefoot.scheduling.limits import SchedulerLimits

KEYS = ({"authorization": "Bearer first"}, {"authorization": "Bearer second"})
SAID = {"many": "It is so.", "few": "It is so, and nobody who looks at it would say that it is not."}


def items(caller: str, count: int) -> list[dict[str, object]]:
    return [{"problem": f"What is {number}?", "steps": [SAID[caller]]} for number in range(count)]


def has_arrived(api, num_waiting: int) -> bool:
    return api.fake.scheduler.snapshot().num_requests == num_waiting and len(api.parts.backend.batches) == 1


@pytest.mark.parametrize(("headers", "is_fair"), [(KEYS, True), (({}, {}), False)], ids=["two keys", "one address"])
async def test_who_brings_little_does_not_wait_for_who_brings_much(serve, headers, is_fair: bool) -> None:
    api = await serve(queue=SchedulerLimits(max_batch_items=2))
    api.parts.backend.hold()
    begun = []
    arrived = 0
    for (name, count), own in zip((("many", 20), ("few", 2)), headers, strict=True):
        begun.append(asyncio.create_task(api.http.post("/score", json={"items": items(name, count)}, headers=own)))
        arrived += count
        # The second request must come behind the first, two of which are held in a pass.
        await api.until(partial(has_arrived, api, arrived - 2))
    api.parts.backend.release()
    assert [(await each).status_code for each in begun] == [200, 200]
    lengths = [[item.rendered.num_tokens for item in batch] for batch in api.parts.backend.batches]
    assert (max(map(max, lengths)) in lengths[-1]) is not is_fair

"""A caller who brings much does not hold up the others: turns go by key, else by address."""

import asyncio

import pytest

from surefoot.scheduling.limits import SchedulerLimits

KEYS = ({"authorization": "Bearer first"}, {"authorization": "Bearer second"})


def items(caller: str, count: int) -> list[dict[str, object]]:
    return [{"problem": f"{caller} {number}?", "steps": [f"It is {number}."]} for number in range(count)]


@pytest.mark.parametrize(("headers", "is_fair"), [(KEYS, True), (({}, {}), False)], ids=["two keys", "one address"])
async def test_who_brings_little_does_not_wait_for_who_brings_much(serve, headers, is_fair: bool) -> None:
    api = await serve(queue=SchedulerLimits(max_batch_items=2))
    api.parts.backend.hold()
    many, few = (
        asyncio.create_task(api.http.post("/score", json={"items": items(name, count)}, headers=own))
        for (name, count), own in zip((("many", 20), ("few", 2)), headers, strict=True)
    )
    await api.until(lambda: api.fake.scheduler.snapshot().num_requests == 20)
    api.parts.backend.release()
    await few
    assert many.done() is not is_fair
    assert (await many).status_code == 200

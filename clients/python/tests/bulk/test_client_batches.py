"""Cutting an iterator into batches: every item once, at its position, the same for both clients."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from surefoot_client.bulk import batches, batches_async


def items(count):
    return ({"problem": str(number), "steps": ["one"]} for number in range(count))


@given(st.integers(0, 60), st.integers(1, 9))
def test_batches_hold_every_item_once_at_its_position(count, size):
    cut = list(batches(items(count), size))
    placed = [(batch.start + offset, int(item["problem"])) for batch in cut for offset, item in enumerate(batch.items)]
    assert placed == [(number, number) for number in range(count)]
    assert all(len(batch.items) == size for batch in cut[:-1])


@given(st.integers(0, 40), st.integers(1, 9))
def test_both_clients_cut_the_same_batches(count, size):
    async def cut():
        return [batch async for batch in batches_async(items(count), size)]

    assert asyncio.run(cut()) == list(batches(items(count), size))

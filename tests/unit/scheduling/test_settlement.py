"""What entries get is theirs: rows that are remembered by the whole input, or those of the pass."""

import pytest

from surefoot.domain import Forwarded, ForwardItem, RenderedInput
from surefoot.errors import BackendFailed
from surefoot.ports import SilentTelemetry
from surefoot.scheduling.batching import WaitingView
from surefoot.scheduling.forward_pass import ForwardPass
from surefoot.scheduling.queue import Entry, EntryFuture
from surefoot.scheduling.settlement import Settlement, alike

NOW = 10.0
ROWS = ((0.25,),)


@pytest.fixture
def settlement() -> Settlement:
    return Settlement("m", SilentTelemetry(), lambda: NOW, 8)


async def entry(settlement: Settlement, token_ids: tuple[int, ...]) -> Entry:
    item = ForwardItem(RenderedInput(token_ids, (len(token_ids) - 1,)), "score")
    view = WaitingView(token_ids, "interactive", NOW - 2)
    return Entry(item, EntryFuture(), view, settlement.key_of(item))


def gave(entries: list[list[Entry]], results: list[Forwarded], failure: BaseException | None = None) -> ForwardPass:
    return ForwardPass(tuple(each[0].item for each in entries), tuple(results), failure, NOW - 1, 0.5)


async def test_what_a_pass_gave_is_remembered_for_the_same_input_alone(settlement: Settlement) -> None:
    first = [[await entry(settlement, (1, 2))]]
    settlement.settle(first, gave(first, [Forwarded(ROWS)]))
    same, other = await entry(settlement, (1, 2)), await entry(settlement, (1, 3))
    assert [settlement.knows(same), settlement.knows(other)] == [True, False]
    assert settlement.settle_known([same, other]) == [other]
    found = await same.future
    assert (found.rows, found.cached_tokens, found.forward_s) == (ROWS, 2, 0.0)
    assert found.queue_s == 2


async def test_equal_inputs_of_a_batch_all_get_the_rows_of_one(settlement: Settlement) -> None:
    batch = [await entry(settlement, tokens) for tokens in ((1, 2), (3,), (1, 2))]
    distinct = alike(batch)
    assert [len(each) for each in distinct] == [2, 1]
    settlement.settle(distinct, gave(distinct, [Forwarded(ROWS), Forwarded(((0.5,),))]))
    assert [(await each.future).rows for each in batch] == [ROWS, ((0.5,),), ROWS]


async def test_a_failure_is_told_and_not_remembered(settlement: Settlement) -> None:
    batch = [[await entry(settlement, (1, 2))]]
    settlement.settle(batch, gave(batch, [], MemoryError()))
    with pytest.raises(BackendFailed):
        await batch[0][0].future
    assert not settlement.knows(await entry(settlement, (1, 2)))
    assert settlement.tokens_per_s is None


async def test_the_speed_is_that_of_the_passes(settlement: Settlement) -> None:
    batch = [[await entry(settlement, (1, 2))]]
    settlement.settle(batch, gave(batch, [Forwarded(ROWS)]))
    assert settlement.tokens_per_s == 4.0


async def test_without_room_nothing_is_remembered() -> None:
    forgetful = Settlement("m", SilentTelemetry(), lambda: NOW, 0)
    batch = [[await entry(forgetful, (1, 2))], [await entry(forgetful, (1, 2))]]
    assert len(alike([each for own in batch for each in own])) == 2
    forgetful.settle(batch, gave(batch, [Forwarded(ROWS), Forwarded(ROWS)]))
    assert not forgetful.knows(await entry(forgetful, (1, 2)))

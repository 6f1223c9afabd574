"""Shares of callers: who brings much waits behind its own work."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.scheduling.fair_turns import FairTurns


def served(turns: FairTurns, waiting: dict[str, list[float]], count: int) -> list[str]:
    """Serve so many, always the lowest turn; whose they were."""
    found = []
    for _ in range(count):
        flow = min((flow for flow in waiting if waiting[flow]), key=lambda flow: waiting[flow][0])
        turns.begin(waiting[flow].pop(0))
        found.append(flow)
    return found


def test_one_caller_is_served_in_its_order() -> None:
    turns = FairTurns()
    assert [*turns.take("a", [3, 4]), *turns.take("a", [5])] == [0, 3, 7]


def test_who_comes_late_does_not_wait_for_all_that_came_before() -> None:
    turns = FairTurns()
    waiting = {"much": list(turns.take("much", [10] * 100))}
    served(turns, waiting, 5)
    waiting["little"] = list(turns.take("little", [10] * 3))
    assert served(turns, waiting, 8).count("little") == 3


def test_who_was_idle_has_saved_up_nothing() -> None:
    turns = FairTurns()
    waiting = {"early": list(turns.take("early", [10]))}
    served(turns, waiting, 1)
    waiting["other"] = list(turns.take("other", [10] * 20))
    served(turns, waiting, 10)
    waiting["early"] = list(turns.take("early", [10] * 10))
    assert 4 <= served(turns, waiting, 10).count("early") <= 6


def test_callers_without_work_are_forgotten() -> None:
    turns = FairTurns()
    for caller in range(1_000):
        for turn in list(turns.take(caller, [1])):
            turns.begin(turn + 1)
    assert len(turns._ends) <= 1


@given(st.lists(st.lists(st.integers(1, 50), min_size=1, max_size=30), min_size=2, max_size=5))
def test_shares_of_those_who_wait_differ_by_the_largest_inputs_only(costs: Sequence[list[int]]) -> None:
    """As long as all have work: the theorem of start-time fair queueing, here with all weights one."""
    turns = FairTurns()
    waiting = {flow: list(turns.take(flow, own)) for flow, own in enumerate(costs)}
    got = [0] * len(costs)
    while all(waiting.values()):
        flow = min(waiting, key=lambda flow: waiting[flow][0])
        got[flow] += costs[flow][len(costs[flow]) - len(waiting[flow])]
        turns.begin(waiting[flow].pop(0))
        assert max(got) - min(got) <= 2 * max(map(max, costs))


@pytest.mark.parametrize("others", [1, 4])
def test_nobody_starves(others: int) -> None:
    """One input against callers who bring another one whenever one is served."""
    turns = FairTurns()
    waiting = {f"busy {number}": list(turns.take(f"busy {number}", [50] * 3)) for number in range(others)}
    waiting["one"] = list(turns.take("one", [50]))
    for count in range(100):
        (flow,) = served(turns, waiting, 1)
        if flow == "one":
            assert count <= others
            return
        waiting[flow].extend(turns.take(flow, [50]))
    pytest.fail("never served")

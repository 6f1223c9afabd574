"""Shares of callers: who brings much waits behind its own work."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.scheduling.fair_turns import FairTurns


class Line:
    """What waits, in the order in which it came; always the lowest turn is served."""

    def __init__(self) -> None:
        self.turns = FairTurns()
        self.waiting: list[tuple[object, int]] = []

    def come(self, flow: object, *costs: int) -> None:
        if flow not in self.flows():
            self.turns.arrive(flow)
        self.waiting += [(flow, cost) for cost in costs]

    def flows(self) -> set[object]:
        return {flow for flow, _ in self.waiting}

    def withdraw(self, flow: object) -> None:
        self.waiting = [work for work in self.waiting if work[0] != flow]

    def serve(self, count: int = 1) -> list[object]:
        """Serve so many; whose they were."""
        found = []
        for _ in range(count):
            turns = self.turns.turns(self.waiting)
            work = self.waiting.pop(turns.index(min(turns)))
            self.turns.serve([work], self.flows())
            found.append(work[0])
        return found


@pytest.fixture
def line() -> Line:
    return Line()


def test_one_caller_is_served_in_its_order(line: Line) -> None:
    line.come("a", 3, 4)
    line.come("a", 5)
    assert line.turns.turns(line.waiting) == [0, 3, 7]


def test_who_comes_late_does_not_wait_for_all_that_came_before(line: Line) -> None:
    line.come("much", *[10] * 100)
    line.serve(5)
    line.come("little", *[10] * 3)
    assert line.serve(8).count("little") == 3


def test_who_was_idle_has_saved_up_nothing(line: Line) -> None:
    line.come("early", 10)
    line.serve()
    line.come("other", *[10] * 20)
    line.serve(10)
    line.come("early", *[10] * 10)
    assert 4 <= line.serve(10).count("early") <= 6


def test_what_is_withdrawn_costs_its_caller_nothing(line: Line) -> None:
    line.come("other", *[10] * 60)
    line.come("a", *[10] * 50)
    line.withdraw("a")
    line.come("a", 10)
    assert "a" in line.serve(3)


def test_callers_who_were_served_are_forgotten(line: Line) -> None:
    line.come("busy", *[10] * 2_000)
    for caller in range(1_000):
        line.come(caller, 10)
        line.serve()
    line.serve(50)
    assert len(line.turns._ends) < 10


def test_callers_seen_for_the_first_time_do_not_starve_those_who_wait(line: Line) -> None:
    line.come("two", 10, 10)
    for caller in range(50):
        line.come(caller, 10)
        line.serve()
        if "two" not in line.flows():
            return
    pytest.fail("never served")


@given(st.lists(st.lists(st.integers(1, 50), min_size=1, max_size=30), min_size=2, max_size=5))
def test_shares_of_those_who_wait_differ_by_the_largest_inputs_only(costs: Sequence[list[int]]) -> None:
    """As long as all have work: the theorem of start-time fair queueing, here with all weights one."""
    line = Line()
    for flow, own in enumerate(costs):
        line.come(flow, *own)
    got = [0] * len(costs)
    while len(line.flows()) == len(costs):
        before = list(line.waiting)
        (flow,) = line.serve()
        got[flow] += next(cost for its, cost in before if its == flow)
        assert max(got) - min(got) <= 2 * max(map(max, costs))


@pytest.mark.parametrize("others", [1, 4])
def test_nobody_starves(line: Line, others: int) -> None:
    """One input against callers who bring another one whenever one is served."""
    for number in range(others):
        line.come(f"busy {number}", *[50] * 3)
    line.come("one", 50)
    for count in range(100):
        (flow,) = line.serve()
        if flow == "one":
            assert count <= others
            return
        line.come(flow, 50)
    pytest.fail("never served")

"""Which connections have waited too long for the head of a request."""

from dataclasses import dataclass, field

import pytest

from surefoot.api.unfinished_heads import UnfinishedHeads

LIMIT_S = 30.0


@dataclass(eq=False)
class Cycle:
    response_complete: bool


@dataclass(eq=False)
class Connection:
    """What is read of uvicorn's protocol."""

    cycle: Cycle | None = None
    timeout_keep_alive_task: object | None = None


@dataclass
class Looking:
    heads: UnfinishedHeads = field(default_factory=UnfinishedHeads)

    def at(self, now: float, *connections: Connection) -> list[Connection]:
        return self.heads.overdue(connections, now, LIMIT_S)


def test_a_connection_without_a_head_is_overdue_after_its_time() -> None:
    looking, silent = Looking(), Connection()
    assert [looking.at(now, silent) for now in (100.0, 129.9, 130.0)] == [[], [], [silent]]


def test_half_a_head_behind_an_answer_counts_too() -> None:
    looking, half = Looking(), Connection(Cycle(response_complete=True))
    assert [looking.at(now, half) for now in (0.0, 30.0)] == [[], [half]]


@pytest.mark.parametrize(
    "busy",
    [Connection(Cycle(response_complete=False)), Connection(Cycle(response_complete=True), object())],
    ids=["at work", "idle between two requests"],
)
def test_who_works_or_may_rest_is_never_overdue(busy) -> None:
    looking = Looking()
    assert [looking.at(now, busy) for now in (0.0, 1000.0)] == [[], []]


def test_time_begins_anew_with_each_request() -> None:
    looking, connection = Looking(), Connection()
    looking.at(0.0, connection)
    connection.cycle = Cycle(response_complete=False)
    looking.at(20.0, connection)
    connection.cycle.response_complete = True
    assert [looking.at(now, connection) for now in (25.0, 40.0, 55.0)] == [[], [], [connection]]


def test_what_has_closed_is_forgotten() -> None:
    looking, gone = Looking(), Connection()
    looking.at(0.0, gone)
    looking.at(1.0)
    assert looking.at(31.0, gone) == []

"""Whatever an engine's own shutdown does, the others are ended too."""

import pytest

from surefoot.engine_shutdown import shut_down


class Engine:
    """Fails to shut down a number of times."""

    def __init__(self, num_failures: int) -> None:
        self.num_failures = num_failures
        self.graces: list[float] = []

    def shutdown(self, timeout: float) -> None:
        self.graces.append(timeout)
        if len(self.graces) <= self.num_failures:
            raise ProcessLookupError("no such process, of somebody's text")


@pytest.mark.parametrize(("num_failures", "graces"), [(0, [5.0]), (1, [5.0, 0.0]), (9, [5.0, 0.0])])
def test_one_that_fails_is_ended_again_without_grace(num_failures: int, graces: list[float]) -> None:
    engine = Engine(num_failures)
    shut_down(engine, 5.0)
    assert engine.graces == graces


def test_a_failure_is_told_without_its_message(caplog) -> None:
    shut_down(Engine(1), 5.0)
    assert [record.getMessage() for record in caplog.records] == [
        "an engine's processes did not end in order: ProcessLookupError"
    ]

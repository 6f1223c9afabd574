"""A workload may be run in part."""

import pytest
import typer
from loadtests.__main__ import named_share


@pytest.mark.parametrize(("given", "expected"), [("W1", ("W1", 0.5)), ("W1@0.25", ("W1", 0.25)), ("W4@1", ("W4", 1.0))])
def test_a_share_stands_behind_the_name_or_is_that_of_all(given: str, expected: tuple[str, float]) -> None:
    assert named_share(given, 0.5) == expected


@pytest.mark.parametrize("given", ["W1@", "W1@x", "W1@0", "W1@2", "W1@nan"])
def test_a_share_that_is_none_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"W1@0\.25"):
        named_share(given, 0.5)

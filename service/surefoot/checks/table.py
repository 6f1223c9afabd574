"""The checks by name; a further one is a function and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from surefoot.checks.arithmetic import check_arithmetic
from surefoot.verdicts import CheckName, StepCheck

CHECKS: Mapping[CheckName, Callable[[str], StepCheck]] = {"arithmetic": check_arithmetic}
"""Each takes the text of one step and never raises."""


def run_checks(steps: Sequence[str], names: Sequence[CheckName]) -> list[tuple[StepCheck, ...]]:
    """For each step the verdicts of the named checks, in the order of the names."""
    return [tuple(CHECKS[name](step) for name in names) for step in steps]

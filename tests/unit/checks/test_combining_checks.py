"""The table of checks, and how verdicts meet probabilities."""

from typing import get_args

import pytest

from surefoot.checks import CHECKS, FAILED_CHECK_FACTOR, capped_by_checks, run_checks
from surefoot.verdicts import CheckName

STEPS = ("2 + 3 = 6", "2 + 3 = 5", "The answer is 5.")


def test_every_check_has_a_function() -> None:
    assert set(CHECKS) == set(get_args(CheckName))


def test_a_check_answers_under_its_own_name() -> None:
    assert [check("1 + 1 = 2").name for check in CHECKS.values()] == list(CHECKS)


def test_every_step_gets_the_checks_that_were_asked_for() -> None:
    verdicts = [[check.verdict for check in found] for found in run_checks(STEPS, ["arithmetic"])]
    assert verdicts == [["fail"], ["pass"], ["nothing_to_check"]]


def test_a_failed_check_alone_lowers_the_probability() -> None:
    capped = capped_by_checks([0.9, 0.8, 0.7], run_checks(STEPS, ["arithmetic"]))
    assert capped == [pytest.approx(0.9 * FAILED_CHECK_FACTOR), 0.8, 0.7]


def test_without_checks_probabilities_are_as_they_were() -> None:
    assert capped_by_checks([0.9, 0.8, 0.7], run_checks(STEPS, [])) == [0.9, 0.8, 0.7]

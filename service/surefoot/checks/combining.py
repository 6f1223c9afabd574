"""How the verdicts of checks and a process model's probabilities become one number a step."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.verdicts import StepCheck

FAILED_CHECK_FACTOR = 0.01
"""How likely a step is taken to be right although a check failed it.

p' = 0.01 * p. A product, and not Bayes' rule on the odds: there a model that is sure (p = 0.999) would outvote a false
equation (0.91 at the same factor). So every failed step lies below every threshold in use, failed steps keep their
order, and the product over a solution stays far above the floor that logarithms have.
"""


def capped_by_checks(probabilities: Sequence[float], checks: Sequence[Sequence[StepCheck]]) -> list[float]:
    """Probabilities that the steps are correct, multiplied by `FAILED_CHECK_FACTOR` where any check failed.

    A step that passed, or that has nothing to check, keeps its own: right arithmetic does not make a step right.
    """
    return [
        probability * FAILED_CHECK_FACTOR if any(check.verdict == "fail" for check in found) else probability
        for probability, found in zip(probabilities, checks, strict=True)
    ]

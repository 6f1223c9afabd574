"""What can be told of a solution without understanding it; none of it may tell true solutions from corrupted ones."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from surefoot.training.labelled_row import LabelledRow

_DIGITS = re.compile(r"[0-9]")

FEATURES: Mapping[str, Callable[[Sequence[str]], float]] = MappingProxyType(
    {
        "characters": lambda steps: sum(map(len, steps)),
        "steps": len,
        "digits": lambda steps: sum(len(_DIGITS.findall(step)) for step in steps),
        "decimals": lambda steps: sum(len(re.findall(r"[0-9]\.[0-9]", step)) for step in steps),
        "thousands_commas": lambda steps: sum(len(re.findall(r"[0-9],[0-9]", step)) for step in steps),
        "currency_signs": lambda steps: sum(step.count("$") for step in steps),
        "minus_signs": lambda steps: sum(len(re.findall(r"(?:^|[=\s(])-[0-9]", step)) for step in steps),
        "equals_signs": lambda steps: sum(step.count("=") for step in steps),
        "answer_digits": lambda steps: len(_DIGITS.findall(steps[-1])),
    }
)
"""Numbers that a text shows at a glance."""


def surface_auroc(rows: Sequence[LabelledRow]) -> dict[str, float]:
    """By feature the chance that it is larger in a wrong solution than in a right one, ties counting half: 0.5 is
    blindness. Empty unless there are solutions of both sorts."""
    right = [row.steps for row in rows if row.is_correct is True]
    wrong = [row.steps for row in rows if row.is_correct is False]
    if not right or not wrong:
        return {}
    return {
        name: round(_auroc([feature(steps) for steps in wrong], [feature(steps) for steps in right]), 4)
        for name, feature in FEATURES.items()
    }


def _auroc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """By the Mann-Whitney statistic."""
    ranked = sorted(negatives)
    below = sum(bisect_left(ranked, value) + bisect_right(ranked, value) for value in positives)
    return below / (2 * len(positives) * len(negatives))

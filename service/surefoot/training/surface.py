"""What can be told of a solution without understanding it; none of it may tell true solutions from corrupted ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from surefoot.evaluation.discrimination import auroc
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
    judged = [(row.steps, row.is_correct is False) for row in rows if row.is_correct is not None]
    is_wrong = np.array([wrong for _, wrong in judged])
    if len(set(is_wrong.tolist())) < 2:
        return {}
    return {
        name: round(auroc(np.array([feature(steps) for steps, _ in judged]), is_wrong), 4)
        for name, feature in FEATURES.items()
    }

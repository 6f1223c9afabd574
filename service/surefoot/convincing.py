"""Which candidates are worth a label: convincing wrong answers, and the most convincing of what remains.

Active learning of process models (Lightman et al. 2023, "Let's Verify Step by Step", arXiv 2305.20050, section 4.2):
80 % of the labelled candidates are those with a wrong answer that the present model scores highest, 20 % are the
highest-scored ones that remain, with a right or a wrong answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Reason = Literal["convincing_wrong_answer", "most_convincing_of_the_rest"]


@dataclass(frozen=True, slots=True)
class Judged:
    """A scored candidate; `is_correct` is `None` where no answer was found in it, which is no wrong answer either."""

    index: int
    score: float
    is_correct: bool | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen candidate and why it was taken."""

    index: int
    reason: Reason


def choose_convincing(candidates: Sequence[Judged], top_k: int, wrong_fraction: float) -> tuple[Choice, ...]:
    """At most `top_k` candidates: wrong answers first, then the rest, each by falling score, then by index.

    `top_k * wrong_fraction`, rounded half up, are the highest-scored wrong answers, or all of them where there are
    fewer. The highest-scored of all others fill what is left, further wrong answers among them.
    """
    ranked = sorted(candidates, key=lambda candidate: (-candidate.score, candidate.index))
    num_wrong = math.floor(top_k * wrong_fraction + 0.5)
    wrong = [candidate.index for candidate in ranked if candidate.is_correct is False][:num_wrong]
    taken = set(wrong)
    rest = [candidate.index for candidate in ranked if candidate.index not in taken][: top_k - len(wrong)]
    return (
        *(Choice(index, "convincing_wrong_answer") for index in wrong),
        *(Choice(index, "most_convincing_of_the_rest") for index in rest),
    )

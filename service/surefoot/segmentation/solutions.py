"""The two doors of segmentation: a whole text is split, given steps are joined."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.domain import Solution, Splitting, Step
from surefoot.errors import EmptyStep, NoSteps
from surefoot.segmentation.methods import METHODS, Source


def split_solution(text: str, splitting: Splitting, separator: str | None = None) -> Solution:
    """Split a solution into stripped, non-blank, ordered steps with `text[a:b] == step.text`; linear in the text.

    Code fences, display math and LaTeX environments stay in one step. `separator` is read by the splitting of that
    name alone, which raises `ValueError` without one. Raises `NoSteps` where nothing but whitespace or separators
    is left.
    """
    steps: list[Step] = []
    for start, end in METHODS[splitting](Source(text, separator)):
        piece = text[start:end]
        stripped = piece.strip()
        if stripped:
            first = end - len(piece.lstrip())
            steps.append(Step(stripped, (first, first + len(stripped))))
    if not steps:
        raise NoSteps("the solution has no steps; send a text that is not blank", param="solution")
    return Solution(text, tuple(steps))


def join_steps(steps: Sequence[str], separator: str, *, allow_blank: bool = False) -> Solution:
    """Join given steps, each kept exactly as it is, with `separator` between them.

    Raises `NoSteps` without any step and, unless `allow_blank`, `EmptyStep` where one is blank.
    """
    if not steps:
        raise NoSteps("steps is empty; send at least one step", param="steps")
    placed: list[Step] = []
    position = 0
    for index, step in enumerate(steps):
        if not (allow_blank or step.strip()):
            raise EmptyStep(f"steps[{index}] is blank; drop it or give it text", param="steps")
        placed.append(Step(step, (position, position + len(step))))
        position += len(step) + len(separator)
    return Solution(separator.join(steps), tuple(placed))

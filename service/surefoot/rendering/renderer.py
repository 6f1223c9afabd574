"""What every renderer is, and what they share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from surefoot.domain import RenderedInput, ScoreTask, Solution

_FIELD = re.compile(r"\{(problem|solution|step|index|text)\}")
_NUMBERED = re.compile(r"\s*step\s+\d+\s*[:.]", re.IGNORECASE)


class Renderer(Protocol):
    """Writes one task for one model."""

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        """Tokens and readout positions. Raises an `ItemError` for what the family cannot express."""
        ...


def fill(template: str, values: Mapping[str, str]) -> str:
    """`template` with its {fields} replaced in one pass: braces inside the values stay text."""
    return _FIELD.sub(lambda match: values.get(match[1], match[0]), template)


def numbered(template: str, index: int, step: str) -> str:
    """The step as the template writes it, unless it begins with its number already."""
    return step if _NUMBERED.match(step) else fill(template, {"index": str(index + 1), "step": step})


def read_at_end(token_ids: tuple[int, ...]) -> RenderedInput:
    """An input that is read at its last token."""
    return RenderedInput(token_ids, (len(token_ids) - 1,))

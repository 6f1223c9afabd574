"""Whether a sampled solution has the form that is trained and served: one step a line, and an end."""

from __future__ import annotations

from surefoot.answers import extract_answer

_FEWEST_LINES = 2
_MOST_IN_A_ROW = 4
"""So often in a row a word still says something."""


def is_well_formed(text: str, *, ended: bool) -> bool:
    """Two lines at least, none of them empty or degenerate, the last one with a final answer, and an end of its own.

    `ended` says that the policy ended it, not a limit on its tokens. A line is degenerate that has neither letter nor
    digit, that stands there twice, or that repeats a word five times in a row.
    """
    lines = [line.strip() for line in text.strip().split("\n")]
    if not ended or len(lines) < _FEWEST_LINES or len(set(lines)) < len(lines):
        return False
    return not any(map(_is_degenerate, lines)) and extract_answer(lines[-1]) is not None


def _is_degenerate(line: str) -> bool:
    if not any(map(str.isalnum, line)):
        return True
    words = line.split()
    runs = zip(*(words[start:] for start in range(_MOST_IN_A_ROW + 1)), strict=False)
    return any(len(set(run)) == 1 for run in runs)

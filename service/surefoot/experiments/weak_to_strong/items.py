"""What is judged: one solution, or which of two is the better one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from surefoot.training.labelled_row import Label, LabelledRow


@dataclass(frozen=True, slots=True)
class Item:
    """A judgement with its truth.

    With one row it is whether its last step is right, or of an outcome model whether the whole is; with two, whether
    the first is better than the second. `group` names what it was made of: items of one group are never apart, so that
    nothing that is learned from is measured on.
    """

    id: str
    group: str
    rows: tuple[LabelledRow, ...]
    label: bool

    @property
    def text(self) -> str:
        """All its words, without what is right in it."""
        return "\n".join("\n".join((row.problem, *row.steps)) for row in self.rows)


def judged_row(problem: str, steps: Sequence[str], label: bool) -> LabelledRow:
    """A solution of which the last step is judged, by a process model and by an outcome model alike."""
    earlier: list[Label | None] = [None] * (len(steps) - 1)
    return LabelledRow(problem, tuple(steps), (*earlier, 1 if label else -1), is_correct=label)


def digest_of(items: Iterable[Item]) -> str:
    """Names the items in their order, 16 hex digits."""
    digest = hashlib.sha256()
    for item in items:
        texts = [(row.problem, row.steps) for row in item.rows]
        digest.update(repr((item.id, item.group, texts, item.label)).encode())
    return digest.hexdigest()[:16]

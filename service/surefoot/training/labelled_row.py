"""One row of training data: a problem, a solution in steps, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from surefoot.evaluation.labelled_steps import is_right, labelled_steps

Label = Literal[1, 0, -1]
"""Right, neutral (neither wrong nor a step further), wrong."""


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """A solution and its labels, one a step, `None` where nothing is known of a step.

    `is_correct` says whether the final answer is right, `None` where nobody has compared it. `family` is the kind of
    error that was made on purpose, or "true". `soft_labels` are shares in [0, 1], one a step, where rollouts gave them.
    """

    problem: str
    steps: tuple[str, ...]
    labels: tuple[Label | None, ...]
    answer: str | None = None
    is_correct: bool | None = None
    source: str = "unknown"
    family: str | None = None
    id: str | None = None
    soft_labels: tuple[float | None, ...] | None = None

    @property
    def first_error(self) -> int | None:
        """Index of the first wrong step."""
        return next((index for index, label in enumerate(self.labels) if label == -1), None)

    @property
    def is_judged(self) -> bool:
        """Whether the steps are labelled up to the first error, or all of them; else only the outcome is known."""
        end = len(self.labels) if self.first_error is None else self.first_error
        return all(label is not None for label in self.labels[:end])


def labels_to(first_error: int | None, num_steps: int) -> tuple[Label | None, ...]:
    """Right up to the first error, which is wrong; nothing after it, where supervision has stopped."""
    right: list[Label | None] = [1] * (num_steps if first_error is None else first_error)
    if first_error is None:
        return tuple(right)
    return (*right, -1, *[None] * (num_steps - first_error - 1))


def rows_from(items: Sequence[Mapping[str, Any]], source: str) -> list[LabelledRow]:
    """Rows of any way of writing that `labelled_steps` reads; one that has its outcome only may go without labels.

    Where one of them holds -1, zeros are neutral in all. Raises `ValueError`, which names the field.
    """
    found = [labelled_steps(_with_labels(item)) for item in items]
    zero_is_neutral = any(each.has_neutral for each in found)
    rows = []
    for item, each in zip(items, found, strict=True):
        labels = tuple(_label(label, zero_is_neutral=zero_is_neutral) for label in each.labels)
        rows.append(_with_facts(LabelledRow(each.problem, each.steps, labels, source=source), item))
    return rows


def _with_labels(item: Mapping[str, Any]) -> Mapping[str, Any]:
    if item.keys() & {"labels", "first_error", "label"} or not item.keys() & {"is_correct", "soft_labels"}:
        return item
    return {**item, "labels": [None] * len(item["steps"])} if isinstance(item.get("steps"), list) else item


def _label(label: object, *, zero_is_neutral: bool) -> Label | None:
    if zero_is_neutral and not isinstance(label, bool) and label == 0:
        return 0
    right = is_right(label, zero=False)
    return None if right is None else 1 if right else -1


def _with_facts(row: LabelledRow, item: Mapping[str, Any]) -> LabelledRow:
    """With the further fields of the project's own rows. Raises `ValueError` where they cannot be what they are for."""
    question = item.get("question")
    answer = question.get("ground_truth_answer") if isinstance(question, Mapping) else item.get("answer")
    is_correct = item.get("is_correct")
    if is_correct is not None and not isinstance(is_correct, bool):
        raise ValueError("is_correct must be true, false or null")
    return LabelledRow(
        row.problem,
        row.steps,
        row.labels,
        answer=answer if isinstance(answer, str) else None,
        is_correct=is_correct,
        source=_text(item.get("source")) or row.source,
        family=_text(item.get("family")),
        id=_text(item.get("id")),
        soft_labels=_soft_labels(item.get("soft_labels"), len(row.steps)),
    )


def _soft_labels(given: object, num_steps: int) -> tuple[float | None, ...] | None:
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != num_steps or not all(map(_is_share, given)):
        raise ValueError(f"soft_labels must hold a number in [0, 1] or null for each of the {num_steps} steps")
    return tuple(given)


def _is_share(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None

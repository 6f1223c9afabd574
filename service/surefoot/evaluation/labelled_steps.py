"""Rows of labelled steps as data sets write them.

Six ways of writing are read:

- `{"problem", "steps", "labels"}` with a label for each step: true, 1 or "+" for right; false, -1 or "-" for wrong;
  null for none; 0 is wrong, or neutral where the file holds -1 too; a `first_error` beside them must say the same
- `{"problem", "steps", "first_error"}`: steps before that 0-based index are right and it is wrong; those after it
  have no label; null or -1 means that all are right
- the same with the index in `label`, as ProcessBench has it (arXiv 2412.06559)
- PRM800K's `{"question": {"problem"}, "label": {"steps"}}` (arXiv 2305.20050)
- TRL's stepwise supervision `{"prompt", "completions", "labels"}`
- Math-Shepherd's `{"input", "label"}`: a text whose steps end with `ки`, and the same with + or - in its place
  (arXiv 2312.08935)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FIELDS = ("problem", "steps", "labels", "first_error", "label", "question", "prompt", "completions", "input")
NULLABLE = ("first_error",)
"""Fields whose null says something."""

_MARKS: Mapping[str, bool] = {"+": True, "-": False}
MATH_SHEPHERD_TAG = "ки"
FIRST_STEP = "Step 1:"
_STEP_NUMBER = re.compile(r"^Step [0-9]+:")
_LABELS_EXPECTED = 'labels must hold 1, 0, -1, true, false, "+", "-" or null'


@dataclass(frozen=True, slots=True)
class LabelledSteps:
    """A solution and its labels as they were written, one a step; `has_neutral` says that its zeros are neutral."""

    problem: str
    steps: tuple[str, ...]
    labels: tuple[object, ...]
    has_neutral: bool


def labelled_steps(row: Mapping[str, Any]) -> LabelledSteps:
    """The solution of a row. Raises `ValueError`, which names the field and holds nothing of what is in it."""
    if "question" in row:
        return _prm800k(row["question"], row.get("label"))
    if "input" in row:
        return _math_shepherd(row["input"], row.get("label"))
    if "completions" in row:
        row = {"problem": row.get("prompt"), "steps": row["completions"], "labels": row.get("labels")}
    problem, steps = row.get("problem"), row.get("steps")
    if not isinstance(problem, str):
        raise ValueError("problem must be a text")  # noqa: TRY004  one kind of error for all that a row can be
    if not isinstance(steps, list) or not steps or not all(isinstance(step, str) for step in steps):
        raise ValueError("steps must be a list of texts, one at least")
    given = [name for name in ("labels", "first_error", "label") if name in row]
    if given == ["labels", "first_error"]:
        return _agreeing(problem, steps, _checked(row["labels"], len(steps)), row["first_error"])
    if len(given) != 1:
        raise ValueError("give labels, one a step, or first_error (an index, or null for none)")
    if given == ["labels"]:
        labels = _checked(row["labels"], len(steps))
    else:
        labels = _up_to_first_error(row[given[0]], len(steps), given[0])
    return LabelledSteps(problem, tuple(steps), labels, any(_is_minus_one(label) for label in labels))


def is_right(label: object, *, zero: bool) -> bool | None:
    """What a label says of its step, `None` for nothing; `zero` is what 0 says. Raises `ValueError` for no label."""
    if label is None or isinstance(label, bool):
        return label
    if isinstance(label, str) and label in _MARKS:
        return _MARKS[label]
    if isinstance(label, (int, float)) and label in (-1, 0, 1):
        return zero if label == 0 else label == 1
    raise ValueError(_LABELS_EXPECTED)


def first_wrong(labels: Sequence[bool | None]) -> int | None:
    """The first step that is wrong, `None` where none is said to be."""
    return list(labels).index(False) if False in labels else None


def is_settled(labels: Sequence[bool | None]) -> bool:
    """Whether the first error is known: every step before it has a label, in a correct solution every step."""
    return None not in labels[: first_wrong(labels)]


def _checked(labels: object, num_steps: int) -> tuple[object, ...]:
    if not isinstance(labels, list) or len(labels) != num_steps:
        raise ValueError(f"labels must be a list with one for each of the {num_steps} steps")
    for label in labels:
        is_right(label, zero=False)
    return tuple(labels)


def _agreeing(problem: str, steps: list[str], labels: tuple[object, ...], index: object) -> LabelledSteps:
    """Labels and a first error that say the same; zeros without an error can only be neutral."""
    error = None if _is_minus_one(index) else index
    has_neutral = error is None or any(_is_minus_one(label) for label in labels)
    first = next((place for place, label in enumerate(labels) if is_right(label, zero=has_neutral) is False), None)
    if error != first or isinstance(error, bool):
        raise ValueError("labels and first_error must name the same step; give one of them")
    return LabelledSteps(
        problem, tuple(steps), labels, has_neutral and any(is_right(each, zero=False) is False for each in labels)
    )


def _up_to_first_error(index: object, num_steps: int, name: str) -> tuple[object, ...]:
    if index is None or _is_minus_one(index):
        return (True,) * num_steps
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < num_steps:
        raise ValueError(f"{name} must be the 0-based index of a step, or null or -1 for no error")
    return (*(True,) * index, False, *(None,) * (num_steps - index - 1))


def _is_minus_one(label: object) -> bool:
    return isinstance(label, (int, float)) and label == -1


def _prm800k(question: object, label: object) -> LabelledSteps:
    """The path that the labeller took. Where no completion was good enough, it goes on with the one that was written
    by hand and has no rating; without that it ends with the first completion."""
    try:
        problem, parts = question["problem"], label["steps"]  # type: ignore[index]
        path = _path(parts)
        if not isinstance(problem, str) or not path or not all(isinstance(text, str) for text, _ in path):
            raise TypeError
        labels = _checked([rating for _, rating in path], len(path))
    except (KeyError, TypeError, IndexError, AttributeError):
        raise ValueError("question and label are not those of a PRM800K row") from None
    return LabelledSteps(problem, tuple(text for text, _ in path), labels, has_neutral=True)


def _math_shepherd(text: object, label: object) -> LabelledSteps:
    pieces = text.split(MATH_SHEPHERD_TAG) if isinstance(text, str) else []
    head, found, first = pieces[0].rpartition(FIRST_STEP) if len(pieces) > 1 else ("", "", "")
    if not found or not isinstance(label, str):
        raise ValueError("input and label are not those of a Math-Shepherd row")
    marks: list[str] = []
    position = 0
    for piece in pieces[:-1]:
        position += len(piece)
        if not label.startswith(piece, position - len(piece)):
            break
        marks.append(label[position : position + 1])
        position += 1
    if len(marks) != len(pieces) - 1 or not set(marks) <= set(_MARKS):
        raise ValueError(f"label must be input with + or - for each {MATH_SHEPHERD_TAG}")
    steps = (first, *(_STEP_NUMBER.sub("", piece.strip(), count=1) for piece in pieces[1:-1]))
    return LabelledSteps(head.strip(), tuple(step.strip() for step in steps), tuple(marks), has_neutral=False)


def _path(parts: Sequence[Any]) -> list[tuple[Any, Any]]:
    path: list[tuple[Any, Any]] = []
    for part in parts:
        completions, chosen = part["completions"] or [], part["chosen_completion"]
        if chosen is not None:
            path.append((completions[chosen]["text"], completions[chosen]["rating"]))
        elif part["human_completion"] is not None:
            path.append((part["human_completion"]["text"], part["human_completion"]["rating"]))
        else:
            path += [(first["text"], first["rating"]) for first in completions[:1]]
            break
    return path

"""Solutions for people to label: what they get, and what they gave back, checked row by row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from surefoot.training.labelled_row import LabelledRow, rows_from
from surefoot.training.rounds import row_key

INSTRUCTIONS = """Copy to_label.jsonl to labelled.jsonl, beside it, and fill `labels` in every row there.

One label a step, in order:

   1     the step is right
   0     the step is wrong: the first error; leave all later steps null
   null  nothing is said of the step: only after the first error

Where you want to tell neutral steps (neither wrong nor of any use) from right ones, write 0 for neutral and -1 for
wrong, in the whole file.

A step is wrong if what it says does not follow, whatever the final answer is. A right step after a wrong one is not
labelled. Change nothing but the labels: `id` ties a row to its solution, and rows may stand in any order.

Then give the same command again with --resume. It checks every row, names those that are not right, and goes on when
all of them are.
"""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that cannot be used, 0 for one that is missing, and why; never what is in it."""

    line: int
    message: str


def handed_line(row: LabelledRow) -> str:
    """A row for people, with its end: the score and the right answer stay away, as they would sway the labels."""
    return json.dumps({"id": row_key(row), **_item(row, [None] * len(row.steps))}, ensure_ascii=False) + "\n"


def labelled_by_hand(
    handed: Sequence[LabelledRow], lines: Iterable[tuple[int, str]]
) -> tuple[list[LabelledRow], list[BadRow]]:
    """The handed rows with their labels, in the order in which they were handed, and every row that is not right.

    `lines` are those of the file with their numbers; blank ones say nothing.
    """
    known = {row_key(row): row for row in handed}
    given: dict[str, tuple[int, list[Any]]] = {}
    bad: list[BadRow] = []
    for number, line in lines:
        if not line.strip():
            continue
        try:
            key, labels = _read(line, known)
            if key in given:
                raise ValueError("id stands in another row too")
            given[key] = (number, labels)
        except ValueError as cause:
            bad.append(BadRow(number, str(cause)))
    keys = [key for key in known if key in given]
    # All at once: whether a zero is neutral, the whole file tells.
    found = rows_from([_item(known[key], given[key][1]) for key in keys], "hand-off")
    for key, row in zip(keys, found, strict=True):
        if not row.is_judged:
            bad.append(
                BadRow(given[key][0], "labels: a step before the first error has none; null stands after it only")
            )
    missing = len(known) - len(given)
    if missing and not bad:
        bad.append(BadRow(0, f"{missing} of {len(known)} rows are missing: each in to_label.jsonl needs its labels"))
    if bad:
        return [], sorted(bad, key=lambda row: row.line)
    return [replace(known[key], labels=row.labels) for key, row in zip(keys, found, strict=True)], []


def _read(line: str, known: Mapping[str, LabelledRow]) -> tuple[str, list[Any]]:
    """Raises `ValueError`, which names the field."""
    try:
        item = json.loads(line)
    except ValueError:
        raise ValueError("the line is no JSON") from None
    if not isinstance(item, dict):
        raise ValueError("the line must hold an object")  # noqa: TRY004  one kind of error for all that a row can be
    key = item.get("id")
    row = known.get(key) if isinstance(key, str) else None
    if not isinstance(key, str) or row is None:
        raise ValueError("id is none of those in to_label.jsonl")
    if item.get("steps", list(row.steps)) != list(row.steps):
        raise ValueError("steps are others than in to_label.jsonl: change labels alone")
    labels = item.get("labels")
    if not isinstance(labels, list) or len(labels) != len(row.steps):
        raise ValueError(f"labels must be a list with one for each of the {len(row.steps)} steps")
    # Texts and truth values, which other formats have, would be slips here.
    if not all(label is None or (type(label) is int and label in (1, 0, -1)) for label in labels):
        raise ValueError("labels must hold 1, 0, -1 or null")
    return key, labels


def _item(row: LabelledRow, labels: Sequence[Any]) -> dict[str, Any]:
    return {"problem": row.problem, "steps": list(row.steps), "labels": list(labels)}

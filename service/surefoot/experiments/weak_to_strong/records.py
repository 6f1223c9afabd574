"""What a finished cell leaves: its measures, what it said of every test item, and its labels for others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from surefoot.errors import ExamplesInvalid, RunMismatch
from surefoot.experiments.weak_to_strong.items import Item
from surefoot.whole_file import write_whole

Pick = Literal["last", "weak", "true"]
"""Which moment of a training counts: its end, the best by the labels that it learns, or the best by the truth; both
measured on the validation items."""

RUN, RECORD, PREDICTIONS, LABELS, MODEL = "run.json", "record.json", "predictions.jsonl", "labels.jsonl", "model"


@dataclass(frozen=True, slots=True)
class Record:
    """A cell's measures: `curve` has an entry for each moment that was measured, `picked` each pick's place in it."""

    facts: Mapping[str, Any]
    curve: Sequence[Mapping[str, float]]
    picked: Mapping[Pick, int]
    labels: Sequence[bool]
    probabilities: Mapping[Pick, Sequence[float]]


class Run:
    """A directory of finished cells; a cell that is there is whole."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Remember what all cells depend on, or hold it against what the directory was begun with.

        Raises `RunMismatch`, which names what differs, and `OSError`.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / RUN
        ours = json.loads(json.dumps(identity))
        if not path.is_file():
            write_whole(path, _json(ours))
            return
        try:
            theirs = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as cause:
            raise RunMismatch(f"{path} is damaged: give another directory", param="output") from cause
        differing = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
        if differing:
            raise RunMismatch(
                f"the run in {self.directory} was begun with another {', '.join(differing)}: give the same, or another "
                "directory; more pairs, tasks, schemes and seeds may be added at any time",
                param="output",
            )

    def has(self, name: str) -> bool:
        """Whether that cell is finished."""
        return (self._place(name) / RECORD).is_file()

    def write(self, name: str, fill: Callable[[Path], None]) -> None:
        """Have `fill` write a cell's files, which are there all at once or not at all."""
        place = self._place(name)
        part = place.with_name(f".{place.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        fill(part)
        part.rename(place)

    def model(self, name: str) -> Path:
        """Where a cell's model is."""
        return self._place(name) / MODEL

    def read(self, name: str) -> Record:
        """Raises `RunMismatch` for files that are damaged."""
        place = self._place(name)
        try:
            found = json.loads((place / RECORD).read_text(encoding="utf-8"))
            rows = _rows(place / PREDICTIONS)
            picks: Sequence[Pick] = ("last", "weak", "true")
            return Record(
                found["facts"],
                found["curve"],
                found["picked"],
                [row["label"] for row in rows],
                {pick: [row[pick] for row in rows] for pick in picks},
            )
        except (OSError, ValueError, KeyError, TypeError) as cause:
            raise RunMismatch(f"{place} is damaged: delete it to have that cell run again", param="output") from cause

    def labels(self, name: str, items: Sequence[Item]) -> list[float]:
        """The weak labels that a cell wrote for these items. Raises `ExamplesInvalid` where they are for others."""
        path = self._place(name) / LABELS
        try:
            found = {row["id"]: row["probability"] for row in _rows(path)}
        except (OSError, ValueError, KeyError, TypeError) as cause:
            raise ExamplesInvalid(f"{path} cannot be read: delete its cell to have it run again") from cause
        missing = [item.id for item in items if item.id not in found]
        if missing or len(found) != len(items):
            raise ExamplesInvalid(
                f"{path} does not match the items that the student learns from: {len(missing)} of {len(items)} have no "
                f"label in it, and {len(found) - len(items) + len(missing)} labels are of others; delete its cell to "
                "have it run again"
            )
        wrong = [item.id for item in items if not _is_probability(found[item.id])]
        if wrong:
            raise ExamplesInvalid(f"{path} holds {len(wrong)} labels that are no probabilities in [0, 1]")
        return [found[item.id] for item in items]

    def _place(self, name: str) -> Path:
        return self.directory / "cells" / name


def write_record(directory: Path, record: Record, items: Sequence[Item]) -> None:
    """A cell's measures and predictions of the test `items`."""
    rows = (
        {"id": item.id, "label": item.label, **{pick: values[place] for pick, values in record.probabilities.items()}}
        for place, item in enumerate(items)
    )
    write_rows(directory / PREDICTIONS, rows)
    write_whole(directory / RECORD, _json({"facts": record.facts, "curve": record.curve, "picked": record.picked}))


def write_labels(directory: Path, items: Sequence[Item], probabilities: Sequence[float]) -> None:
    """Weak labels, each with the id of its item."""
    write_rows(
        directory / LABELS,
        ({"id": item.id, "probability": value} for item, value in zip(items, probabilities, strict=True)),
    )


def write_rows(path: Path, rows: Any) -> None:
    """As JSON lines, whole."""
    write_whole(path, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode())


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _is_probability(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()

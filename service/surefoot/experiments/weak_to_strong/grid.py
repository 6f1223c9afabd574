"""Runs the cells of a grid one after another; what is finished is not run again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from surefoot.evaluation.weak_supervision import accuracy
from surefoot.experiments.weak_to_strong.items import Item
from surefoot.experiments.weak_to_strong.judges import FineTuned, Judge, OpenBase, Probe, Readings
from surefoot.experiments.weak_to_strong.learning import Lesson, labels_of, learn, probabilities_of
from surefoot.experiments.weak_to_strong.plan import Cell, CellPlan
from surefoot.experiments.weak_to_strong.records import MODEL, Record, Run, write_labels, write_record
from surefoot.experiments.weak_to_strong.split import PartName, split
from surefoot.experiments.weak_to_strong.tasks import TaskName

PROBE_RATE = 1e-2
"""The learning rate of linear probes, which have few parameters and no layer behind them."""


class Bases(Protocol):
    """Where the base models come from."""

    def opener(self, task: TaskName, size: str, items: Sequence[Item], *, language: bool) -> Callable[[], OpenBase]: ...


class Watcher(Protocol):
    """Hears how a run goes."""

    def cell_begins(self, cell: Cell, number: int, total: int) -> None: ...

    def learned(self, done: int, total: int) -> None: ...

    def cell_ends(self, cell: Cell, accuracy: float, seconds: float) -> None: ...


@dataclass(slots=True)
class Grid:
    """`items` are those of each task; `command` is told in the facts of every model."""

    run: Run
    items: Mapping[TaskName, Sequence[Item]]
    bases: Bases
    plan: CellPlan
    command: str
    _readings: dict[tuple[TaskName, str, bool], Readings] = field(default_factory=dict)

    def execute(self, cells: Sequence[Cell], watcher: Watcher) -> None:
        """Raises what training raises; the cells that were finished before stay."""
        missing = [cell for cell in cells if not self.run.has(cell.name)]
        for number, cell in enumerate(missing, start=1):
            watcher.cell_begins(cell, len(cells) - len(missing) + number, len(cells))
            began = time.monotonic()
            reached = self._cell(cell, watcher, began)
            watcher.cell_ends(cell, reached, time.monotonic() - began)

    def _cell(self, cell: Cell, watcher: Watcher, began: float) -> float:
        parts = split(self.items[cell.task], self.plan.sizes, cell.seed)
        lesson = self._lesson(cell, parts)
        judge = self._judge(cell, parts)
        course = learn(
            judge,
            lesson,
            self.plan,
            cell.seed,
            rate=PROBE_RATE if self._is_probe(cell) else self.plan.learning_rate,
            with_confidence=cell.scheme == "confidence",
            stepped=watcher.learned,
        )
        facts = self._facts(cell, lesson, time.monotonic() - began)
        record = Record(facts, course.curve, course.picked, [item.label for item in lesson.test], course.probabilities)
        self.run.write(cell.name, partial(self._fill, cell, judge, parts, record))
        return course.curve[-1]["test_accuracy"]

    def _fill(
        self, cell: Cell, judge: Judge, parts: Mapping[PartName, Sequence[Item]], record: Record, directory: Path
    ) -> None:
        if cell.teaches:
            taught = [*parts["student"], *parts["validation"]]
            write_labels(directory, taught, probabilities_of(judge, taught))
        judge.write(directory / MODEL, {"command": self.command, "experiment": "weak-to-strong", **record.facts})
        write_record(directory, record, parts["test"])

    def _lesson(self, cell: Cell, parts: Mapping[PartName, Sequence[Item]]) -> Lesson:
        items, validation = parts[cell.part], parts["validation"]
        if cell.labels_of is None:
            targets = [float(item.label) for item in (*items, *validation)]
        else:
            targets = self.run.labels(cell.labels_of, [*items, *validation])
        return Lesson(items, targets[: len(items)], validation, targets[len(items) :], parts["test"])

    def _judge(self, cell: Cell, parts: Mapping[PartName, Sequence[Item]]) -> Judge:
        language = cell.scheme == "language" and cell.role == "student"
        key = (cell.task, cell.size, language)
        if key not in self._readings:
            # What no seed tests on may be written by all of them: a base is adapted once.
            readable = _untested(self.items[cell.task], parts["test"])
            opened = self.bases.opener(cell.task, cell.size, readable, language=language)
            self._readings[key] = Readings(opened, self.plan.top_layers)
        # Drawn from the seed and the cell alone, whatever was drawn before.
        torch.manual_seed(cell.seed)
        if self._is_probe(cell):
            return Probe(self._readings[key], cell.seed)
        return FineTuned(self._readings[key], self.plan.rank, cell.seed)

    def _is_probe(self, cell: Cell) -> bool:
        return self.plan.method == "probe" or cell.scheme == "probe"

    def _facts(self, cell: Cell, lesson: Lesson, seconds: float) -> dict[str, Any]:
        truth = labels_of(lesson.items)
        return {
            "task": cell.task,
            "seed": cell.seed,
            "role": cell.role,
            "size": cell.size,
            "scheme": cell.scheme,
            "weak": cell.weak,
            "strong": cell.strong,
            "labels_of": cell.labels_of,
            "num_items": len(lesson.items),
            "label_accuracy": accuracy(np.array(lesson.targets), truth),
            "seconds": round(seconds, 1),
        }


def _untested(items: Sequence[Item], test: Sequence[Item]) -> list[Item]:
    groups = {item.group for item in test}
    return [item for item in items if item.group not in groups]

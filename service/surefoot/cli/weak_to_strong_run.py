"""One run of the weak-to-strong experiment: rows in, cells and a report out."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from surefoot.cli.failures import FileFailed
from surefoot.cli.jsonl_run import Tally
from surefoot.cli.row_file import read_file
from surefoot.errors import ExamplesInvalid
from surefoot.experiments.weak_to_strong.items import Item, digest_of
from surefoot.experiments.weak_to_strong.plan import Cell, CellPlan
from surefoot.experiments.weak_to_strong.split import split
from surefoot.experiments.weak_to_strong.tasks import TaskName, items_of
from surefoot.settings import Settings
from surefoot.training.word_problems.drawing import word_problems
from surefoot.training.word_problems.splits import TEMPLATES
from surefoot.whole_file import write_whole
from surefoot.wiring.data_sources import data_file

NUM_WORD_PROBLEMS = 3000
"""So many are drawn where a task's source is the program's own word problems."""

_OWN: Mapping[str, str] = {"train": "word problems of the training templates", "sums": "calculations without a story"}


_DIRECTORIES = re.compile(r"[^=,]*/(?=[^/])")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a task's rows are from: a file, or one of the splits of word problems."""

    task: TaskName
    name: str

    @property
    def told(self) -> str:
        """For the report: a file by its name alone, wherever it is."""
        return _OWN.get(self.name) or Path(self.name).name


@dataclass(frozen=True, slots=True)
class WeakToStrongRun:
    """What is asked for."""

    output: Path
    settings: Settings
    model: str
    plan: CellPlan
    sources: Sequence[Source]
    cells: Sequence[Cell]
    as_json: bool

    def execute(self, *, report_only: bool) -> None:
        """Run every cell that is not finished, and write the report. Raises what training raises, and `FileFailed`."""
        from surefoot.experiments.weak_to_strong.grid import Grid
        from surefoot.experiments.weak_to_strong.records import Run
        from surefoot.wiring.experiment_bases import ExperimentBases

        if self.output.exists() and not self.output.is_dir():
            raise typer.BadParameter("no directory can be there", param_hint="--output")
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        items = {source.task: self._items(source) for source in self.sources}
        for task, some in items.items():
            # Too few items are told before anything is trained.
            for seed in dict.fromkeys(cell.seed for cell in self.cells if cell.task == task):
                split(some, self.plan.sizes, seed)
        run = Run(self.output)
        try:
            run.begin({**self.plan.facts(), "model": self.model})
            for task, some in items.items():
                Run(self.output / "items" / task).begin({f"items of {task}": digest_of(some)})
            with shown_cells(console) as watcher:
                bases = ExperimentBases(self.output / "bases", self.model, self.settings, self.plan, watcher.say)
                if not report_only:
                    Grid(run, items, bases, self.plan, _command()).execute(self.cells, watcher)
            self._report(run, console)
        except KeyboardInterrupt as interruption:
            interruption.add_note(f"{self.output} keeps every finished training; the same command goes on from there")
            raise
        except OSError as cause:
            raise FileFailed(f"{self.output} cannot be written: {cause.strerror}; what was finished is kept") from cause

    def _items(self, source: Source) -> list[Item]:
        try:
            return items_of(source.task, self._rows(source), self.plan.data_seed)
        except ValueError as cause:
            raise ExamplesInvalid(f"{source.told}: {cause}", param="--tasks") from cause

    def _rows(self, source: Source) -> list[Mapping[str, Any]]:
        if source.name in _OWN:
            drawn = word_problems(TEMPLATES["sums" if source.name == "sums" else "train"], NUM_WORD_PROBLEMS, 1)
            return [{"question": each.question, "answer": each.answer} for each in drawn]
        path = data_file(source.name)
        if not path.is_file():
            raise typer.BadParameter(f"there is no file {path}", param_hint="--tasks")
        tally = Tally()
        rows = [row for _, row in read_file(path.name, path, lambda row: row, tally, lambda: None)]
        if tally.failed:
            line, failure = tally.shown[0]
            raise ExamplesInvalid(f"{path.name}, line {line}: {failure.message}", param="--tasks")
        return rows

    def _report(self, run: Any, console: Console) -> None:
        from surefoot.evaluation.pictures import can_draw
        from surefoot.experiments.weak_to_strong.figures import CAPTIONS, draw_all
        from surefoot.experiments.weak_to_strong.findings import findings
        from surefoot.experiments.weak_to_strong.report import Facts, notes, report
        from surefoot.experiments.weak_to_strong.results import as_json, results

        found = results(run, self.cells)
        done = [cell for cell in self.cells if run.has(cell.name)]
        seconds = sum(float(run.read(cell.name).facts["seconds"]) for cell in done)
        sources: dict[str, str] = {source.task: source.told for source in self.sources}
        facts = Facts(_command(), sources, self.plan.facts(), len(done), len(self.cells), seconds)
        told = findings(found)
        captions = CAPTIONS if found and can_draw() else {}
        page = report(found, told, facts, captions)
        summary = {
            "command": facts.command,
            "done": facts.num_done,
            "cells": facts.num_cells,
            "seconds": round(seconds, 1),
            "plan": facts.plan,
            "results": as_json(found),
            "findings": [{"claim": each.claim, "verdict": each.verdict, "told_from": each.told_from} for each in told],
        }
        write_whole(self.output / "report.md", page.encode())
        write_whole(self.output / "report.json", (json.dumps(summary, indent=1, ensure_ascii=False) + "\n").encode())
        if captions:
            draw_all(found, self.output)
        for line in dict.fromkeys(f"{each.task}: {line}" for each in found for line in notes(each)):
            console.print(line)
        typer.echo(json.dumps(summary, ensure_ascii=False) if self.as_json else f"wrote {self.output / 'report.md'}")


class ShownCells:
    """Says how a run goes: a bar on a terminal, a line a training anywhere else."""

    def __init__(self, console: Console, bar: Progress | None) -> None:
        self._console, self._bar = console, bar
        self._all = None if bar is None else bar.add_task("trainings", total=None)
        self._one = None if bar is None else bar.add_task("", total=None)

    def cell_begins(self, cell: Cell, number: int, total: int) -> None:
        """A training begins."""
        if self._bar is not None and self._all is not None and self._one is not None:
            self._bar.update(self._all, completed=number - 1, total=total)
            self._bar.update(self._one, description=cell.name, completed=0, total=None)
        else:
            self._console.print(f"training {number} of {total}: {cell.name}")

    def learned(self, done: int, total: int) -> None:
        """So many items of one training."""
        if self._bar is not None and self._one is not None:
            self._bar.update(self._one, completed=done, total=total)

    def cell_ends(self, cell: Cell, accuracy: float, seconds: float) -> None:
        """A training is finished and kept."""
        self._console.print(f"{cell.name}: accuracy {accuracy:.3f} after {seconds:.0f} s")

    def say(self, text: str) -> None:
        """What is done before a training."""
        if self._bar is not None and self._one is not None:
            self._bar.update(self._one, description=text)


@contextmanager
def shown_cells(console: Console) -> Iterator[ShownCells]:
    """The watcher of one run."""
    if not console.is_terminal:
        yield ShownCells(console, None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield ShownCells(console, bar)


def _command() -> str:
    """What was called; files by their names alone, wherever they are."""
    asked = (word for word in sys.argv[1:] if word not in ("--report-only", "--json"))
    words = (word if "hub:" in word else _DIRECTORIES.sub("", word) for word in asked)
    return shlex.join(["surefoot", *words])

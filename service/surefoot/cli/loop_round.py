"""One round: choose, label, train, measure. Everything it leaves is in its folder, and tells what is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from surefoot.answers import EquivalenceJudge
from surefoot.cli.jsonl_run import SHOWN_FAILURES
from surefoot.cli.loop_stages import Stages
from surefoot.cli.loop_swap import Swap
from surefoot.cli.loop_training import Training, measures_of
from surefoot.cli.named_model import Target
from surefoot.cli.row_file import write_files
from surefoot.errors import ExamplesInvalid
from surefoot.training.formats import written_rows
from surefoot.training.hand_off import INSTRUCTIONS, handed_line, labelled_by_hand
from surefoot.training.label_efficiency import Point
from surefoot.training.labelled_row import LabelledRow, rows_from
from surefoot.training.rollouts import RolloutLabels, with_hard_labels
from surefoot.training.rounds import (
    Choosing,
    Labeller,
    PoolSolution,
    choose,
    open_solutions,
    row_key,
    rule_labelled,
)

ADAPTER = "adapter"
"""The folder of a round's model."""

_DONE, _ROWS, _TO_LABEL, _LABELLED = "round.json", "rows.jsonl", "to_label.jsonl", "labelled.jsonl"


class HandedOff(Exception):
    """The solutions in `directory` wait for labels."""

    def __init__(self, directory: Path, num_rows: int) -> None:
        super().__init__(f"{num_rows} solutions wait in {directory}")
        self.directory, self.num_rows = directory, num_rows


@dataclass(frozen=True, slots=True)
class RoundOptions:
    """How every round goes; `labels` solutions are labelled in each, by `k` rollouts a step where rollouts label."""

    labels: int
    labeller: Labeller
    k: int
    seed: int


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one way of choosing; `target` gives the newest model."""

    number: int
    directory: Path
    how: Choosing
    options: RoundOptions
    stages: Stages
    training: Training
    judge: EquivalenceJudge
    console: Console
    target: Callable[[], Target]
    swap: Swap

    def labelled(self, pool: Sequence[PoolSolution], before: Sequence[LabelledRow]) -> list[LabelledRow]:
        """The round's new rows, none when nothing is left; `before` were labelled earlier.

        Raises `HandedOff` and `ExamplesInvalid` where people label.
        """
        if not (self.directory / _ROWS).is_file():
            chosen = self._chosen(pool, before)
            if not chosen:
                return []
            rows = self._by_hand(chosen) if self.options.labeller == "hand-off" else self._by_machine(chosen)
            write_files(self.directory, {_ROWS: written_rows(rows, "surefoot")})
        # Bytes: in a text, characters of a solution like U+2028 would end a line too.
        lines = (self.directory / _ROWS).read_bytes().splitlines()
        return rows_from([json.loads(line) for line in lines], "pool")

    def trained(self, rows: Sequence[LabelledRow], num_labels: int) -> tuple[Point, bool]:
        """Train on `rows` and measure; whether every row could be used."""
        done = self.directory / _DONE
        if done.is_file():
            found = json.loads(done.read_text(encoding="utf-8"))
            return Point(found["round"], found["num_labels"], found["measures"]), found["all_rows_used"]
        self._say(f"training on {len(rows)} rows")
        write_files(self.directory, {"train.jsonl": written_rows(rows, "surefoot")})
        adapter = self.directory / ADAPTER
        is_clean = self.training.execute(self.directory / "train.jsonl", adapter)
        point = Point(self.number, num_labels, dict(measures_of(adapter)))
        self.swap.execute(adapter, self.console)
        told = {"choose": self.how, **asdict(point), "all_rows_used": is_clean}
        write_files(self.directory, {_DONE: [json.dumps(told, sort_keys=True), "\n"]})
        return point, is_clean

    def _chosen(self, pool: Sequence[PoolSolution], before: Sequence[LabelledRow]) -> list[PoolSolution]:
        taken = {row_key(row) for row in before}
        solutions = open_solutions(pool, self.options.labeller, taken)
        if not solutions:
            return []
        scores: list[float | None] = [None] * len(solutions)
        if self.how == "convincing":
            self._say(f"scoring {len(solutions)} solutions")
            scores = self.stages.scored(
                self.directory / "scores.jsonl", [solution.row for solution in solutions], self.target()
            )
        seed = f"{self.options.seed}/{self.number}"
        found = choose(solutions, scores, self.how, self.options.labels, seed)
        lines = [
            json.dumps({"id": row_key(solutions[each.place].row), "reason": each.reason, "score": each.score}) + "\n"
            for each in found
        ]
        write_files(self.directory, {"chosen.jsonl": lines})
        return [solutions[each.place] for each in found]

    def _by_machine(self, chosen: Sequence[PoolSolution]) -> list[LabelledRow]:
        self._say(f"labelling {len(chosen)} solutions")
        if self.options.labeller == "rule":
            return [rule_labelled(solution) for solution in chosen]
        rows = [solution.row for solution in chosen]
        if self.options.labeller == "reference":
            return rows
        path = self.directory / "rollouts.jsonl"
        found = self.stages.rolled_out(path, rows, self.options.k, self.judge, self.number)
        labels = [RolloutLabels(tuple(each["fractions"])) for each in found]
        return [with_hard_labels(row, each) for row, each in zip(rows, labels, strict=True)]

    def _by_hand(self, chosen: Sequence[PoolSolution]) -> list[LabelledRow]:
        rows = [solution.row for solution in chosen]
        path = self.directory / _LABELLED
        if not path.is_file():
            write_files(self.directory, {_TO_LABEL: map(handed_line, rows), "README.txt": [INSTRUCTIONS]})
            raise HandedOff(self.directory, len(rows))
        lines = path.read_text(encoding="utf-8-sig", errors="replace").split("\n")
        found, bad = labelled_by_hand(rows, enumerate(lines, start=1))
        if bad:
            error = ExamplesInvalid(f"{path}: {len(bad)} rows are not right; correct them and give --resume again")
            for each in bad[:SHOWN_FAILURES]:
                error.add_note(f"  line {each.line}: {each.message}" if each.line else f"  {each.message}")
            if len(bad) > SHOWN_FAILURES:
                error.add_note(f"  and {len(bad) - SHOWN_FAILURES} more")
            raise error
        return found

    def _say(self, what: str) -> None:
        self.console.print(f"round {self.number}, {self.how} choice: {what}", markup=False)

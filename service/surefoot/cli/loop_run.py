"""The work of `surefoot train loop`: rounds one after the other, their folder, and what is told of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from surefoot.answers import EquivalenceJudge, MathVerifyJudge
from surefoot.cli.consoles import output_console, print_json
from surefoot.cli.jsonl_progress import show_summary
from surefoot.cli.jsonl_run import Tally
from surefoot.cli.loop_pool import (
    LoopFiles,
    given_problems,
    kept_apart,
    pool_solutions,
    seed_rows,
    solutions_of,
    without_apart,
)
from surefoot.cli.loop_round import ADAPTER, HandedOff, Round, RoundOptions
from surefoot.cli.loop_stages import Stages
from surefoot.cli.loop_swap import Swap
from surefoot.cli.loop_training import Training
from surefoot.cli.named_model import Target, target_of
from surefoot.cli.report_files import file_errors, made_directory, show_files, write_report
from surefoot.cli.row_file import write_files
from surefoot.errors import RunMismatch
from surefoot.settings import Settings
from surefoot.training.label_efficiency import Point, headline, report_json, report_markdown
from surefoot.training.label_plot import draw_measures
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.model_solutions import SampledSolutions
from surefoot.training.rounds import Choosing, KeptApart, PoolSolution

_STATE = "loop.json"

Pool = Callable[[int], Sequence[PoolSolution]]
"""The solutions that a round chooses from."""


@dataclass(slots=True)
class Arm:
    """One way of choosing, its folder, and how far it is."""

    how: Choosing
    directory: Path
    swap: Swap
    rows: list[LabelledRow] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    is_used_up: bool = False


@dataclass(slots=True)
class LoopRun:
    """A loop of `num_rounds` rounds into `output`; `ways` of choosing run side by side, and the first one is served."""

    output: Path
    files: LoopFiles
    num_rounds: int
    ways: Sequence[Choosing]
    options: RoundOptions
    model: str | None
    settings: Settings
    stages: Stages
    training: Training
    swap: Swap
    resume: bool
    overwrite: bool
    console: Console
    all_rows_used: bool = True
    num_seed_rows: int = 0
    tally: Tally = field(default_factory=Tally)

    def execute(self, *, as_json: bool) -> None:
        """Run to the end, or to where people are to label; leaves through `typer.Exit` if a row could not be used."""
        self.training.check()
        self._begin()
        arms = self._arms()
        try:
            with MathVerifyJudge() as judge, file_errors():
                self._rounds(arms, judge)
        except HandedOff as waiting:
            self._tell_of_hand_off(waiting, as_json=as_json)
            return
        except KeyboardInterrupt as interruption:
            interruption.add_note(f"{self.output} keeps what is done; the same command with --resume goes on")
            raise
        self._tell(arms, as_json=as_json)
        if self.tally.failed or not self.all_rows_used:
            raise typer.Exit(1)

    def _begin(self) -> None:
        """Raises `RunMismatch` for another loop's folder, and a usage error for one without --resume."""
        made_directory(self.output)
        state = self.output / _STATE
        with file_errors():
            made_for = self._made_for()
            if self.overwrite and state.is_file():
                for found in ("round-*", "samples", "convincing", "uniform"):
                    for path in self.output.glob(found):
                        shutil.rmtree(path)
            elif state.is_file():
                if not self.resume:
                    raise typer.BadParameter(
                        f"{self.output} has a loop: --resume goes on with it, --overwrite begins again",
                        param_hint="--output",
                    )
                _check_same(json.loads(state.read_text(encoding="utf-8")), made_for, self.output)
        write_files(self.output, {_STATE: [json.dumps(made_for, indent=2, sort_keys=True), "\n"]})

    def _made_for(self) -> dict[str, Any]:
        """All that the outcome depends on; more rounds may be asked for later."""
        config = () if self.training.config is None else (self.training.config,)
        digests = [hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in (*self.files, *config)]
        return {
            "files": digests,
            "ways": list(self.ways),
            "options": asdict(self.options),
            "model": self.model,
            "drawing": asdict(self.stages.drawing),
            "training": list(self.training.words),
        }

    def _arms(self) -> list[Arm]:
        if len(self.ways) == 1:
            return [Arm(self.ways[0], self.output, self.swap)]
        return [Arm(how, self.output / how, self.swap if how == self.ways[0] else Swap()) for how in self.ways]

    def _rounds(self, arms: Sequence[Arm], judge: EquivalenceJudge) -> None:
        apart = kept_apart(self.files)
        seeds = seed_rows(self.files.seed_rows, apart)
        self.num_seed_rows = len(seeds)
        pool = self._pool(apart, judge)
        for number in range(1, self.num_rounds + 1):
            for arm in arms:
                if not arm.is_used_up:
                    self._round(number, arm, pool, seeds, judge)
            self._report(arms)

    def _round(self, number: int, arm: Arm, pool: Pool, seeds: Sequence[LabelledRow], judge: EquivalenceJudge) -> None:
        directory = arm.directory / f"round-{number}"
        made = Round(
            number,
            directory,
            arm.how,
            self.options,
            self.stages,
            self.training,
            judge,
            self.console,
            lambda: self._newest(number, arm),
            arm.swap,
        )
        found = made.labelled(pool(number), [*seeds, *arm.rows])
        if not found:
            arm.is_used_up = self.files.pool is not None
            self.console.print(
                f"round {number}, {arm.how} choice: nothing is left that could be labelled", markup=False
            )
            return
        arm.rows += found
        point, is_clean = made.trained([*seeds, *arm.rows], len(arm.rows))
        arm.points.append(point)
        self.all_rows_used = self.all_rows_used and is_clean
        self.console.print(f"round {number}: {headline({arm.how: arm.points})}", markup=False)

    def _newest(self, number: int, arm: Arm) -> Target:
        """The model of the latest round before, at first the one of the settings."""
        for earlier in range(number - 1, 0, -1):
            adapter = arm.directory / f"round-{earlier}" / ADAPTER
            if adapter.is_dir():
                return self.training.served(adapter, self.settings)
        return target_of(self.settings, self.model, None, None)

    def _pool(self, apart: KeptApart, judge: EquivalenceJudge) -> Pool:
        if self.files.pool is not None:
            everything = without_apart(pool_solutions(self.files.pool, judge, self.tally), apart)
            return lambda _: everything
        assert self.files.problems is not None  # noqa: S101  the verb asks for one of the two
        problems = given_problems(self.files.problems, apart)

        def sampled(number: int) -> list[PoolSolution]:
            self.console.print(f"round {number}: sampling for {len(problems)} problems", markup=False)
            rows = self.stages.sampled(self.output / "samples" / f"round-{number}.jsonl", problems, number)
            found: list[PoolSolution] = []
            for place, (given, row) in enumerate(zip(problems, rows, strict=True), start=1):
                texts = tuple((f"{index}", text) for index, text in enumerate(row["solutions"]))
                drawn = SampledSolutions(given.problem, given.answer, texts, given.reference)
                found += solutions_of(drawn, judge, f"round-{number}", place)
            return found

        return sampled

    def _facts(self, arms: Sequence[Arm]) -> dict[str, Any]:
        source = self.files.pool or self.files.problems
        return {
            "solutions_from": None if source is None else source.name,
            "seed_rows": self.num_seed_rows,
            "labels_a_round": self.options.labels,
            "labeller": self.options.labeller,
            "chosen": " and ".join(arm.how for arm in arms),
            "validation": self.files.validation.name,
            "training": " ".join(self.training.words) or "as `surefoot train prm` does by default",
            "seed": self.options.seed,
        }

    def _report(self, arms: Sequence[Arm]) -> list[Path]:
        lines, facts = {arm.how: arm.points for arm in arms}, self._facts(arms)
        rounds = [
            json.dumps({"choose": arm.how, **asdict(point)}, sort_keys=True) + "\n"
            for arm in arms
            for point in arm.points
        ]
        return write_report(
            self.output,
            {
                "rounds.jsonl": lambda _: "".join(rounds),
                "report.md": lambda picture: report_markdown(lines, facts, picture),
                "report.json": lambda _: json.dumps(report_json(lines, facts), indent=2, ensure_ascii=False) + "\n",
            },
            "labels",
            lambda paths: draw_measures(lines, paths),
        )

    def _tell(self, arms: Sequence[Arm], *, as_json: bool) -> None:
        if self.tally.failed:
            show_summary(self.console, self.tally.summary(0))
        lines = {arm.how: arm.points for arm in arms}
        if as_json:
            print_json(report_json(lines, self._facts(arms)))
            return
        typer.echo(headline(lines))
        show_files(self._report(arms), output_console())

    def _tell_of_hand_off(self, waiting: HandedOff, *, as_json: bool) -> None:
        if as_json:
            told = {"waits_for_labels": str(waiting.directory), "num_rows": waiting.num_rows}
            print_json(told)
            return
        typer.echo(
            f"{waiting.num_rows} solutions wait for labels in {waiting.directory / 'to_label.jsonl'}: fill a copy "
            "of it, labelled.jsonl beside it, as README.txt there says; the same command with --resume goes on"
        )


def _check_same(theirs: Mapping[str, Any], ours: Mapping[str, Any], output: Path) -> None:
    """Raises `RunMismatch`, which names what differs."""
    differing = sorted(name for name in ours if ours[name] != theirs.get(name))
    if differing:
        raise RunMismatch(
            f"the loop in {output} was begun with other {', '.join(differing)}: give the same, or another directory",
            param="output",
        )

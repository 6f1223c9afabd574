"""One run of training from a file of labelled rows to an adapter's directory."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer
from rich.console import Console

from surefoot.cli.consoles import print_json, progress_console
from surefoot.cli.failures import FileFailed
from surefoot.cli.jsonl_progress import show_summary
from surefoot.cli.jsonl_run import Failure, Tally
from surefoot.cli.report_files import draw_pictures
from surefoot.cli.row_file import read_file
from surefoot.cli.training_progress import shown_training, told
from surefoot.errors import ExamplesInvalid, ItemError
from surefoot.evaluation.labelled_steps import labelled_steps
from surefoot.training.class_weights import weighted
from surefoot.training.curve_plot import draw_training
from surefoot.training.examples import Example, up_to_last_target
from surefoot.training.held_out import held_out
from surefoot.training.labelled_row import LabelledRow, rows_from
from surefoot.training.lora_shape import LoraShape
from surefoot.training.plan import TrainingPlan

if TYPE_CHECKING:
    from surefoot.training.loop import Data, Trained, Trainer
    from surefoot.training.lora import AdaptedModel
    from surefoot.wiring.training import TrainingBase

_CURVES = "curves"
"""The picture of the run, beside the adapter, where matplotlib is installed."""

HELD_OUT = 0.05
"""Share of the problems to validate on, where no file of them is given."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What is asked for; `open_base` loads the base model, `is_wanted` chooses rows."""

    source: Path
    output: Path
    validation: Path | None
    open_base: Callable[[], TrainingBase]
    shape: LoraShape
    plan: TrainingPlan
    stored_as: Literal["bfloat16", "float32"]
    kept_bytes: int
    start_from: Path | None
    resume: bool
    overwrite: bool
    as_json: bool
    is_wanted: Callable[[LabelledRow], bool] = lambda _: True

    def execute(self) -> None:
        """Train to the end and say what came of it; leaves through `typer.Exit` if a row could not be used."""
        console = progress_console()
        self._check_directory()
        began = time.monotonic()
        tally = Tally()
        rows = self._read(self.source, tally)
        others = None if self.validation is None else self._read(self.validation, tally)
        base = self.open_base()
        data = self._data(base, rows, others, tally)
        try:
            self.output.mkdir(parents=True, exist_ok=True)
            trained, tokens_per_s = self._train(console, base, data)
        except KeyboardInterrupt as interruption:
            interruption.add_note(f"{self.output} keeps what was saved; the same command with --resume goes on")
            raise
        except OSError as cause:
            raise FileFailed(f"{self.output} cannot be written: {cause.strerror}; what was saved is kept") from cause
        self._tell(console, trained, tally, time.monotonic() - began, tokens_per_s)
        if tally.failed:
            raise typer.Exit(1)

    def _check_directory(self) -> None:
        from surefoot.modeling.adapters import FACTS
        from surefoot.training.run_state import FILE_NAME

        for path in (self.source, self.validation):
            if path is not None and not path.is_file():
                raise typer.BadParameter(f"there is no file {path}")
        if self.output.exists() and not self.output.is_dir():
            raise typer.BadParameter("no directory can be there", param_hint="--output")
        state = self.output / FILE_NAME
        if self.overwrite:
            state.unlink(missing_ok=True)
        elif state.is_file() and not self.resume:
            raise typer.BadParameter(
                f"{self.output} has an unfinished run: --resume goes on with it, --overwrite begins again",
                param_hint="--output",
            )
        elif not state.is_file() and (self.output / FACTS).is_file():
            raise typer.BadParameter(f"{self.output} has an adapter; --overwrite replaces it", param_hint="--output")

    def _read(self, path: Path, tally: Tally) -> list[tuple[int, LabelledRow]]:
        found = list(read_file(path.name, path, _checked, tally, lambda: None))
        rows = rows_from([item for _, item in found], path.name)
        return [(line, row) for (line, _), row in zip(found, rows, strict=True) if self.is_wanted(row)]

    def _data(
        self,
        base: TrainingBase,
        rows: Sequence[tuple[int, LabelledRow]],
        others: Sequence[tuple[int, LabelledRow]] | None,
        tally: Tally,
    ) -> Data:
        from surefoot.training.loop import Data

        if others is None:
            apart = held_out([row.problem for _, row in rows], HELD_OUT, self.plan.seed)
            others = [rows[place] for place in sorted(apart)]
            rows = [row for place, row in enumerate(rows) if place not in apart]
        training, validation = _examples(base, rows, tally), _examples(base, others, tally)
        if not training or not validation:
            raise ExamplesInvalid(
                f"{len(training)} rows to train on and {len(validation)} to validate on are left: both need one at "
                "least" + "".join(f"; line {line}: {failure.message}" for line, failure in tally.shown[:1])
            )
        examples = weighted([up_to_last_target(example) for _, example in training], self.plan.class_weights)
        return Data(examples, [example for _, example in validation], [line for line, _ in training])

    def _train(self, console: Console, base: TrainingBase, data: Data) -> tuple[Trained, float]:
        from surefoot.training.adapter_files import write_adapter
        from surefoot.training.run_state import FILE_NAME

        trainer, model = self._trainer(base, data)

        def keep(trained: Trained) -> None:
            write_adapter(self.output, model, trained.adapter, base.profile, self._facts(base, data, trained))

        with shown_training(console) as watcher:
            trained = trainer.run(watcher, keep)
        keep(trained)
        draw_pictures(self.output, {_CURVES: partial(draw_training, trained.epochs, trained.best, self.output.name)})
        (self.output / FILE_NAME).unlink(missing_ok=True)
        return trained, watcher.tokens_per_s

    def _trainer(self, base: TrainingBase, data: Data) -> tuple[Trainer, AdaptedModel]:
        import torch

        from surefoot.modeling.adapters import read_adapter
        from surefoot.modeling.checkpoint import dtype_name
        from surefoot.training.loop import Trainer
        from surefoot.training.lora import AdaptedModel
        from surefoot.training.run_state import data_digest

        model = AdaptedModel(
            base.checkpoint,
            base.head,
            self.shape,
            seed=self.plan.seed,
            kept_bytes=self.kept_bytes,
            with_words=self.plan.words_weight > 0,
        )
        begun_from = None if self.start_from is None else read_adapter(self.start_from)
        if begun_from is not None:
            begun_from.check_base(base.base_id)
            model.start_from(begun_from)
        plan = {name: value for name, value in asdict(self.plan).items() if name != "save_every_steps"}
        made_for = {
            "data": data_digest(data.training, data.validation),
            "base": base.base_id,
            "profile": None if base.profile is None else base.profile.model_dump(mode="json"),
            "layers": asdict(self.shape),
            "plan": plan,
            "dtype": dtype_name(base.checkpoint.dtype),
            "stored_as": self.stored_as,
            "start_from": begun_from and begun_from.id,
        }
        trainer = Trainer(
            model,
            data,
            base.profile,
            self.plan,
            stored_as=getattr(torch, self.stored_as),
            directory=self.output,
            made_for=made_for,
        )
        return trainer, model

    def _facts(self, base: TrainingBase, data: Data, trained: Trained) -> dict[str, Any]:
        from surefoot.modeling.checkpoint import dtype_name

        return {
            "base_id": base.base_id,
            **base.facts,
            "profile": None if base.profile is None else base.profile.name,
            "command": shlex.join(["surefoot", *sys.argv[1:]]),
            "seed": self.plan.seed,
            "plan": asdict(self.plan),
            "lora": asdict(self.shape),
            "dtype": dtype_name(base.checkpoint.dtype),
            "stored_as": self.stored_as,
            "num_training_examples": len(data.training),
            "num_validation_examples": len(data.validation),
            "epochs": [dict(measures) for measures in trained.epochs],
            "best_epoch": trained.best,
        }

    def _tell(self, console: Console, trained: Trained, tally: Tally, seconds: float, tokens_per_s: float) -> None:
        best = trained.epochs[trained.best]
        if self.as_json:
            summary = {"adapter": str(self.output), "epochs": [*map(dict, trained.epochs)], "best_epoch": trained.best}
            speed = {"tokens_per_s": round(tokens_per_s, 1), "stopped_early": trained.stopped_early}
            print_json({**summary, **speed, **tally.summary(seconds)})
            return
        if tally.failed:
            show_summary(console, tally.summary(seconds))
        if trained.best == 0:
            begun_with = "the base model" if self.start_from is None else f"{self.start_from}"
            typer.echo(f"no epoch was better than {begun_with}, with which it began: the adapter adds nothing to it")
        typer.echo(f"{self.output}: epoch {trained.best} of {len(trained.epochs) - 1}, {told(best)}")


def _examples(base: TrainingBase, rows: Sequence[tuple[int, LabelledRow]], tally: Tally) -> list[tuple[int, Example]]:
    """One for each row that can be used; the others are counted and named."""
    found: list[tuple[int, Example]] = []
    for line, row in rows:
        try:
            found.append((line, base.example(row)))
        except (ItemError, ValueError) as cause:
            code, message = getattr(cause, "code", "invalid_row"), getattr(cause, "message", str(cause))
            tally.add(line, Failure(code, message))
            tally.rows -= 1  # It was counted when it was read.
    return found


def _checked(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises `ValueError`, which names the field, for a row that cannot be read."""
    labelled = labelled_steps(item)
    soft = item.get("soft_labels")
    if soft is not None and (
        not isinstance(soft, list) or len(soft) != len(labelled.steps) or not all(map(_is_chance, soft))
    ):
        raise ValueError("soft_labels must hold a number from 0 to 1, or null, for each step")
    return item


def _is_chance(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1)

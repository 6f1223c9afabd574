"""A round's training: the verb `surefoot train prm` itself, with the options that were given for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
import typer.main

from surefoot.cli.named_model import Target, target_of
from surefoot.cli.train_models import prm
from surefoot.settings import ModelSettings, Settings

_OWN = ("source", "output", "validation", "resume", "overwrite", "config", "as_json")
"""What the loop says itself, by its name in the verb."""


@dataclass(frozen=True, slots=True)
class Training:
    """The options after `--`, as they were written, and what the loop adds to each round."""

    words: tuple[str, ...]
    validation: Path
    config: Path | None

    def check(self) -> None:
        """Raises a usage error for options that `surefoot train prm` does not know, or that are the loop's."""
        given, own = (self._context(Path("train.jsonl"), Path("adapter"), words).params for words in (self.words, ()))
        taken = [name for name in _OWN if given[name] != own[name]]
        if taken:
            raise typer.BadParameter(f"{taken[0]} is the loop's own to say", param_hint="after --")

    def execute(self, source: Path, output: Path) -> bool:
        """Train from the base on a file, or finish what was begun; whether every row could be used."""
        if is_trained(output):
            return True
        context = self._context(source, output, self.words)
        try:
            # What the verb says is progress here: standard output has the loop's own outcome.
            with redirect_stdout(sys.stderr), context:
                context.command.invoke(context)
        except typer.Exit as ended:
            return ended.exit_code == 0
        return True

    def served(self, adapter: Path, settings: Settings) -> Target:
        """The model that an adapter of a round makes, alone. Raises what `target_of` raises."""
        given = self._context(Path("train.jsonl"), adapter, self.words).params
        model = ModelSettings(
            name="prm",
            path=given["model"],
            profile=str(adapter / "profile.toml"),
            adapter=str(adapter),
            dtype=given["dtype"],
        )
        return target_of(settings.model_copy(update={"models": [model]}), None, None, None)

    def _context(self, source: Path, output: Path, words: tuple[str, ...]) -> Any:
        configured = [] if self.config is None else ["--config", str(self.config)]
        own = [str(source), "--output", str(output), "--validation", str(self.validation), *configured, "--resume"]
        verb = typer.Typer(add_completion=False)
        verb.command()(prm)
        return typer.main.get_command(verb).make_context("surefoot train prm", [*own, *words])


def is_trained(adapter: Path) -> bool:
    """Whether the training into this directory came to its end."""
    from surefoot.modeling.adapters import FACTS
    from surefoot.training.run_state import FILE_NAME

    return (adapter / FACTS).is_file() and not (adapter / FILE_NAME).is_file()


def measures_of(adapter: Path) -> Mapping[str, float]:
    """Those of the epoch that was kept, on the validation rows."""
    from surefoot.modeling.adapters import FACTS

    facts = json.loads((adapter / FACTS).read_text(encoding="utf-8"))
    found: Mapping[str, float] = facts["epochs"][facts["best_epoch"]]
    return found

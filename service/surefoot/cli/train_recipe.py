"""`surefoot train recipe`: from GSM8K's problems to a generator, a process and an outcome model and their report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer
from rich.console import Console

from surefoot.cli.consoles import print_json, progress_console
from surefoot.cli.recipe_steps import RecipeOptions, Size, Step, recipe_steps
from surefoot.cli.report_files import file_errors, made_directory
from surefoot.cli.row_file import write_files
from surefoot.cli.training_options import Base
from surefoot.wiring.data_sources import data_file

_STATE = "recipe.json"


def recipe(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where everything goes.")],
    gsm8k: Annotated[str, typer.Option(metavar="FILE", help="GSM8K's training problems, or hub:owner/set/file.jsonl.")],
    test: Annotated[str, typer.Option(metavar="FILE", help="Problems to report on; never trained on.")],
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Further problems that are not trained on. Repeatable.")
    ] = None,
    model: Base = "embedded",
    size: Annotated[
        Literal["auto", "trial", "small", "full"],
        typer.Option(
            help="small: some hours on two cores; full: all rows and layers; auto: full with a CUDA device, else "
            "small; trial: some minutes, for models that are worth nothing, to see that all of it runs."
        ),
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 1,
    show: Annotated[bool, typer.Option("--show", help="Print the commands and run none.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made, or the commands, as JSON.")] = False,
) -> None:
    """Make a generator, a process and an outcome model on any base, as the shipped ones were made.

    Word problems that a small model can solve, GSM8K's beside them; a generator that learns the form of a solution;
    right and corrupted solutions of both, and the generator's own; a process model, an outcome model that begins from
    it; a report on the test problems, with best-of-N curves.

    `surefoot train recipe --gsm8k train.jsonl --test test.jsonl -o models/`

    Every step is a command of this program, printed before it runs: `--show` prints them all, to be run by hand or
    changed. The same command goes on where it was interrupted.
    """
    steps = list(recipe_steps(_options(output, gsm8k, test, exclude or [], model, size, seed)))
    if show:
        lines = [step.line for step in steps]
        _tell(lines, "\n".join(lines), as_json=as_json)
        return
    console = progress_console()
    made_directory(output)
    with file_errors():
        _check_same_recipe(output, steps)
    all_rows_used = True
    for number, step in enumerate(steps, start=1):
        all_rows_used &= _run(console, step, f"{number}/{len(steps)}")
    made = {role: str(output / role) for role in ("generator", "prm", "orm", "report")}
    _tell(made, f"wrote {', '.join(made.values())}", as_json=as_json)
    if not all_rows_used:
        raise typer.Exit(1)


def _tell(document: Any, words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        typer.echo(words)


def _options(
    output: Path, gsm8k: str, test: str, exclude: Sequence[str], base: str, size: str, seed: int
) -> RecipeOptions:
    for name, option in ((gsm8k, "--gsm8k"), (test, "--test"), *((each, "--exclude") for each in exclude)):
        if not data_file(name).is_file():
            raise typer.BadParameter(f"there is no file {name}", param_hint=option)
    if size == "auto":
        import torch

        size = "full" if torch.cuda.is_available() else "small"
    return RecipeOptions(output, gsm8k, test, exclude, base, cast("Size", size), seed)


def _check_same_recipe(output: Path, steps: Sequence[Step]) -> None:
    """What is there already was made by these commands, or nothing is there."""
    state, commands = output / _STATE, [list(step.command) for step in steps]
    if not state.is_file():
        write_files(output, {_STATE: [json.dumps(commands, indent=1)]})
    elif json.loads(state.read_text(encoding="utf-8")) != commands:
        raise typer.BadParameter(
            f"{output} was begun with other files or options: name another directory", param_hint="--output"
        )


def _run(console: Console, step: Step, place: str) -> bool:
    """Run a step in a process of its own, which gives its memory back, unless it was done before.

    Whether it could use every row; a step that made nothing ends the recipe with its exit code.
    """
    if step.is_done:
        console.print(f"[dim]{place} {step.what}: done before[/dim]")
        return True
    resumed = ["--resume"] if step.can_be_resumed else []
    console.print(f"[bold]{place} {step.what}[/bold]\n[dim]{' '.join([step.line, *resumed])}[/dim]")
    began = time.monotonic()
    # A step tells on standard error how far it is; what it prints at its end is no result of this verb.
    program = [sys.executable, "-m", "surefoot", *step.command, *resumed]
    with_settings = os.environ | dict(step.settings)
    status = subprocess.run(program, env=with_settings, stdout=sys.stderr, check=False).returncode  # noqa: S603 - our own
    if not step.is_done:
        typer.echo(f"surefoot: step {place} failed, see above; the same command goes on there", err=True)
        raise typer.Exit(status or 1)
    console.print(f"[dim]{time.monotonic() - began:.0f} s[/dim]")
    return status == 0

"""The `surefoot` program: its verbs, and what it says when something goes wrong."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from surefoot.cli import best_of_n, demo, models, score, serve, settings_table, solve
from surefoot.cli.failures import exit_code, explain
from surefoot.errors import SurefootError
from surefoot_client import SurefootError as ClientError

app = typer.Typer(
    name="surefoot",
    help=(
        "Serve process and outcome reward models: per-step probabilities, the first error, the best of N.\n\n"
        "Start with `surefoot solve 'a word problem'`, or with `surefoot serve` and http://127.0.0.1:8080/docs.\n\n"
        "Exit codes: 0 done, 1 the work or some rows failed, 2 wrong usage or settings, 3 the server cannot be "
        "reached, 130 interrupted."
    ),
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("solve")(solve.solve)
app.command("score")(score.score)
app.command("best-of-n")(best_of_n.best_of_n)
app.command("demo")(demo.demo)
app.command("settings")(settings_table.settings)
app.add_typer(models.app, name="models")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"surefoot {version('surefoot')}")
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options that stand before a verb."""


def main() -> None:
    """Run the program; deliberate errors become one line on standard error and an exit code."""
    try:
        app()
    except (SurefootError, ClientError) as error:
        typer.echo(explain(error), err=True)
        sys.exit(exit_code(error))

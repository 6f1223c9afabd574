"""The `surefoot` program: its verbs, and what it says when something goes wrong."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from surefoot.cli import (
    best_of_n,
    demo,
    evaluate,
    inspect,
    keys,
    models,
    pin,
    score,
    serve,
    settings_table,
    solve,
    train,
)
from surefoot.cli.failures import EXIT_CODES, Program

app = typer.Typer(
    name="surefoot",
    cls=Program,
    help=(
        "Serve process and outcome reward models: per-step probabilities, the first error, the best of N.\n\n"
        "Start with `surefoot solve 'a word problem'`, or with `surefoot serve` and http://127.0.0.1:8080/docs.\n\n"
        "Every verb that prints takes --json: then standard output holds JSON and nothing else, of a failure "
        '{"error": {"code", "message", "param"}}.\n\n'
        f"Exit codes: {', '.join(f'{code} {meaning}' for code, meaning in EXIT_CODES.items())}."
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
models.app.command("inspect")(inspect.inspect)
models.app.command("pin")(pin.pin)
app.add_typer(models.app, name="models")
app.add_typer(keys.app, name="keys")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(train.app, name="train")


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
    """Run the program."""
    app()

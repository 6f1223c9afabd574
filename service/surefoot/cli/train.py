"""`surefoot train`: the group of verbs that make training data and train models."""

from __future__ import annotations

import typer

from surefoot.cli import train_data, train_models

app = typer.Typer(no_args_is_help=True)


@app.callback()
def train() -> None:
    """Make labelled data, and train reward models and generators on it."""


app.command("data")(train_data.data)
app.command("prm")(train_models.prm)
app.command("orm")(train_models.orm)
app.command("generator")(train_models.generator)

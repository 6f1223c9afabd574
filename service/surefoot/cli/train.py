"""`surefoot train`: the group of verbs that make training data and train models."""

from __future__ import annotations

import typer

from surefoot.cli import (
    train_average,
    train_data,
    train_loop,
    train_models,
    train_problems,
    train_recipe,
    train_rollouts,
    train_samples,
    train_weak_to_strong,
)

app = typer.Typer(no_args_is_help=True)


@app.callback()
def train() -> None:
    """Make labelled data, and train reward models and generators on it."""


app.command("problems")(train_problems.problems)
app.command("data")(train_data.data)
app.command("samples")(train_samples.samples)
app.command("rollouts")(train_rollouts.rollouts)
app.command("prm")(train_models.prm)
app.command("orm")(train_models.orm)
app.command("generator")(train_models.generator)
app.command("average")(train_average.average)
app.command("recipe")(train_recipe.recipe)
app.command("loop")(train_loop.loop)
app.command("weak-to-strong")(train_weak_to_strong.weak_to_strong)

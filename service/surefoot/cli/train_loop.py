"""`surefoot train loop`: sample, score, choose, label, train, and again with the model that came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.consoles import progress_console
from surefoot.cli.loop_pool import LoopFiles
from surefoot.cli.loop_round import RoundOptions
from surefoot.cli.loop_run import LoopRun
from surefoot.cli.loop_stages import Stages
from surefoot.cli.loop_swap import Swap
from surefoot.cli.loop_training import Training
from surefoot.cli.sampling_run import Drawing, GeneratorOption, MaxTokensOption, TemperatureOption
from surefoot.cli.serve import ConfigOption
from surefoot.cli.service import build_of
from surefoot.cli.training_options import AsJson
from surefoot.settings import load_settings
from surefoot.training.rounds import Choosing, Labeller

Words = Annotated[
    list[str] | None, typer.Argument(metavar="[-- OPTIONS]", help="Options of `surefoot train prm`, after `--`.")
]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="One folder a round, report and plot.")]
Validation = Annotated[Path, typer.Option(metavar="FILE.jsonl", help="Labelled rows that every round is measured on.")]
Problems = Annotated[
    Path | None,
    typer.Option(metavar="FILE.jsonl", help="Problems with answers, to sample solutions of with the generator."),
]
PoolFile = Annotated[
    Path | None,
    typer.Option(
        "--pool", metavar="FILE.jsonl", help="Solutions to choose from, instead: labelled rows or candidates."
    ),
]
SeedRows = Annotated[
    Path | None, typer.Option(metavar="FILE.jsonl", help="Labelled rows to train on from the first round on.")
]
Exclude = Annotated[
    list[Path] | None, typer.Option(metavar="FILE.jsonl", help="Problems that must not be trained on; may be repeated.")
]
Rounds = Annotated[int, typer.Option(min=1, help="How many; --resume may ask for more than before.")]
Labels = Annotated[int, typer.Option(min=1, help="Solutions that are labelled in a round.")]
Choose = Annotated[Choosing, typer.Option(help="Which: 80 % convincing wrong answers, or any.")]
LabellerOption = Annotated[
    Labeller,
    typer.Option(help="Rules that are certain, rollouts, the pool's own labels, or people, for whom it stops."),
]
Samples = Annotated[int, typer.Option("-n", "--samples", min=1, help="Solutions to sample of each problem in a round.")]
Rollouts = Annotated[int, typer.Option("-k", "--rollouts", min=1, help="Completions of each step, to label it.")]
Name = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Whose scores the first round goes by; default: the first process model."),
]
Seed = Annotated[int, typer.Option(min=0, help="Of sampling and of a uniform choice; training has its own.")]
ServeDir = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Put each round's adapter there, where a server looks for it.")
]
Reload = Annotated[str | None, typer.Option("--reload", metavar="URL", help="Have the server there load it anew.")]
ModelName = Annotated[str | None, typer.Option("--model-name", metavar="NAME", help="The model on that server.")]
Compare = Annotated[bool, typer.Option("--compare-uniform", help="Run a uniform choice beside it, and compare.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the loop in DIR, at the stage where it was.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Begin again, whatever loop is in DIR.")]


def loop(
    context: typer.Context,
    output: Output,
    validation: Validation,
    training: Words = None,
    problems: Problems = None,
    pool: PoolFile = None,
    seed_rows: SeedRows = None,
    exclude: Exclude = None,
    rounds: Rounds = 10,
    labels: Labels = 100,
    choose: Choose = "convincing",
    labeller: LabellerOption = "rule",
    samples: Samples = 8,
    temperature: TemperatureOption = 0.8,
    max_tokens: MaxTokensOption = 256,
    rollouts: Rollouts = 8,
    generator: GeneratorOption = None,
    name: Name = None,
    seed: Seed = 1,
    serve_dir: ServeDir = None,
    reload: Reload = None,
    model_name: ModelName = None,
    compare_uniform: Compare = False,
    resume: Resume = False,
    overwrite: Overwrite = False,
    config: ConfigOption = None,
    as_json: AsJson = False,
) -> None:
    """Train a process model in rounds, labelling what the newest one finds most convincing and is wrong.

    A round scores solutions with the model of the round before, at first the configured one; chooses --labels of them,
    none twice; has them labelled; trains from the base on all labels so far; and measures on --validation.

    `surefoot train loop -o loop/ --pool pool.jsonl --labeller reference --validation v.jsonl -- --top-layers 10`

    DIR gets rounds.jsonl, report.md, report.json and a plot of the measures against the number of labels.
    """
    swap = Swap(serve_dir, reload, model_name)
    files = LoopFiles(problems, pool, seed_rows, validation, tuple(exclude or ()))
    _check(files, swap, choose, labeller, compare_uniform=compare_uniform)
    console = progress_console()
    settings, words = load_settings(config), Training(tuple(training or ()), validation, config)
    drawing = Drawing(samples, temperature, max_tokens, seed, generator)
    stages = Stages(drawing, config, build_of(context), console)
    ways: list[Choosing] = ["convincing", "uniform"] if compare_uniform else [choose]
    options = RoundOptions(labels, labeller, rollouts, seed)
    LoopRun(
        output, files, rounds, ways, options, name, settings, stages, words, swap, resume, overwrite, console
    ).execute(as_json=as_json)


def _check(files: LoopFiles, swap: Swap, choose: Choosing, labeller: Labeller, *, compare_uniform: bool) -> None:
    """Raises `typer.BadParameter`."""
    if (files.pool is None) == (files.problems is None):
        raise typer.BadParameter("give problems to sample for, or else a pool of solutions", param_hint="--problems")
    for path in files:
        if not path.is_file():
            raise typer.BadParameter(f"there is no file {path}")
    if labeller == "reference" and files.pool is None:
        raise typer.BadParameter("sampled solutions have no labels yet: give --pool", param_hint="--labeller")
    if compare_uniform and (labeller == "hand-off" or choose == "uniform"):
        raise typer.BadParameter("it runs both choices, without people", param_hint="--compare-uniform")
    if (swap.url is None) != (swap.model is None) or (swap.url is not None and swap.directory is None):
        raise typer.BadParameter("it needs --serve-dir and --model-name too", param_hint="--reload")

"""Options of `surefoot train weak-to-strong`, and what their texts stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from surefoot.cli.weak_to_strong_run import Source
from surefoot.experiments.weak_to_strong.plan import Method, Pair, Scheme, parse_pair
from surefoot.experiments.weak_to_strong.tasks import TASKS, TaskName

Output = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where the run and its report go.")]
Pairs = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WEAK:STRONG",
        help="Sizes of supervisor and student, several with commas: a number of layers of --model (4:30), scratch-2x64 "
        "for a new model of 2 layers and 64 dimensions, a directory, or hub:owner/name. Default: 4:30,8:30.",
    ),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME[=SOURCE]",
        help=f"What is judged, several with commas: {', '.join(get_args(TaskName))}. SOURCE is a file of GSM8K's rows "
        "(of text: {text, label}), or train or sums, the program's own word problems; without one it is --gsm8k, or "
        "train. Default: steps=sums,word-order.",
    ),
]
Schemes = Annotated[
    list[str] | None,
    typer.Option(
        help=f"How students learn, several with commas: {', '.join(get_args(Scheme))}. Default: naive,confidence."
    ),
]
Seeds = Annotated[int, typer.Option(min=1, max=100, help="How often all is repeated, with other draws.")]
Gsm8k = Annotated[
    str | None, typer.Option("--gsm8k", metavar="FILE", help="Rows of GSM8K; hub:owner/data-set/file.jsonl too.")
]
Base = Annotated[
    str, typer.Option("--model", metavar="PATH", help="Whose layers are counted: `embedded`, a directory, `hub:…`.")
]
MethodOption = Annotated[
    Method,
    typer.Option(
        "--method", help="What every training changes: LoRA on the upper layers, or a linear head on frozen features."
    ),
]
Chain = Annotated[
    list[str] | None,
    typer.Option(metavar="SIZE", help="Sizes between, for bootstrap; default: two in equal ratios."),
]
Train = Annotated[int, typer.Option(min=8, help="Items that the supervisor learns, and as many the student.")]
Validation = Annotated[int, typer.Option(min=2, help="Items that a training may be stopped by.")]
Test = Annotated[int, typer.Option(min=2, help="Items that accuracies are of.")]
Epochs = Annotated[int, typer.Option(min=1, help="How often each item is learned from.")]
Rate = Annotated[float, typer.Option(min=0, help="The highest learning rate, of LoRA.")]
BatchItems = Annotated[int, typer.Option(min=2, help="Items of an update; the confidence's threshold is their median.")]
TopLayers = Annotated[int, typer.Option(min=1, help="Layers that are trained; those below are computed once.")]
Rank = Annotated[int, typer.Option(min=1, help="Rank of the adapters.")]
Alpha = Annotated[float, typer.Option(min=0, max=1, help="Weight of the confidence at its height.")]
Ramp = Annotated[float, typer.Option(min=0, max=1, help="Share of a training over which --alpha is reached.")]
Evaluations = Annotated[int, typer.Option(min=1, help="How often a training is measured on its way.")]
AdaptTokens = Annotated[
    int, typer.Option(min=1, help="Tokens that cut or new bases learn to write first; `language` students too.")
]
DataSeed = Annotated[int, typer.Option(min=0, help="Draws the items, the same for all seeds.")]
ReportOnly = Annotated[bool, typer.Option("--report-only", help="Train nothing: report what is finished.")]


def listed(given: list[str]) -> list[str]:
    """Options that were given several times, or with commas."""
    return [part.strip() for text in given for part in text.split(",") if part.strip()]


def pairs_of(given: list[str]) -> list[Pair]:
    """Each pair once. Raises `typer.BadParameter`."""
    try:
        return list(dict.fromkeys(parse_pair(text) for text in listed(given)))
    except ValueError as cause:
        raise typer.BadParameter(str(cause), param_hint="--pairs") from cause


def schemes_of(given: list[str]) -> list[Scheme]:
    """Each scheme once. Raises `typer.BadParameter`."""
    known: dict[str, Scheme] = {name: name for name in get_args(Scheme)}
    unknown = [name for name in listed(given) if name not in known]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(known)}", param_hint="--schemes")
    return list(dict.fromkeys(known[name] for name in listed(given)))


def sources_of(given: list[str], gsm8k: str | None) -> list[Source]:
    """Where each task's rows are from. Raises `typer.BadParameter`."""
    known: dict[str, TaskName] = {name: name for name in TASKS}
    found = []
    for text in listed(given):
        name, _, source = text.partition("=")
        if name not in known:
            raise typer.BadParameter(f"{name}: there are {', '.join(known)}", param_hint="--tasks")
        if name == "text" and not source:
            raise typer.BadParameter("text needs a file: text=FILE.jsonl of {text, label} rows", param_hint="--tasks")
        found.append(Source(known[name], source or gsm8k or "train"))
    if len({source.task for source in found}) < len(found):
        raise typer.BadParameter("a task is named twice", param_hint="--tasks")
    return found

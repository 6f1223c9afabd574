"""`surefoot train weak-to-strong`: what a strong model makes of a weak one's labels, as one experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from surefoot.cli.jsonl_command import SummaryOption
from surefoot.cli.models import prepare_embedded
from surefoot.cli.serve import ConfigOption
from surefoot.cli.weak_to_strong_run import Source, WeakToStrongRun
from surefoot.experiments.weak_to_strong.plan import CellPlan, Pair, Scheme, cells, parse_pair
from surefoot.experiments.weak_to_strong.split import PartSizes
from surefoot.experiments.weak_to_strong.tasks import TASKS, TaskName
from surefoot.settings import load_settings

_BASIC: tuple[Scheme, ...] = ("naive", "confidence")

PairsOption = Annotated[
    list[str],
    typer.Option(
        "--pairs",
        metavar="WEAK:STRONG",
        help="Sizes of supervisor and student, several with commas: a number of layers of --model (4:30), scratch-2x64 "
        "for a new model of 2 layers and 64 dimensions, a directory, or hub:owner/name.",
    ),
]
TasksOption = Annotated[
    list[str],
    typer.Option(
        "--tasks",
        metavar="NAME[=SOURCE]",
        help="What is judged, several with commas: " + ", ".join(get_args(TaskName)) + ". SOURCE is a file of GSM8K's "
        "rows (of `text`: {text, label}), or train or sums, the program's own word problems; default: --gsm8k, or train.",
    ),
]
SchemesOption = Annotated[
    list[str],
    typer.Option("--schemes", help="How students learn, several with commas: " + ", ".join(get_args(Scheme)) + "."),
]


def weak_to_strong(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where the run and its report go.")],
    pairs: PairsOption = ["4:30", "8:30"],  # noqa: B006  typer reads it, and nobody changes it
    tasks: TasksOption = ["steps=sums", "word-order"],  # noqa: B006
    schemes: SchemesOption = list(_BASIC),
    seeds: Annotated[int, typer.Option(min=1, max=100, help="How often all is repeated with other draws.")] = 3,
    gsm8k: Annotated[
        str | None, typer.Option(metavar="FILE", help="Rows of GSM8K; hub:owner/set/file.jsonl too.")
    ] = None,
    model: Annotated[
        str, typer.Option("--model", metavar="PATH", help="Whose layers are counted: `embedded`, a directory, `hub:…`.")
    ] = "embedded",
    chain: Annotated[
        list[str] | None,
        typer.Option("--chain", metavar="SIZE", help="Sizes between, for bootstrap; default: two in equal ratios."),
    ] = None,
    train: Annotated[int, typer.Option(min=8, help="Items that the supervisor learns, and as many the student.")] = 400,
    validation: Annotated[int, typer.Option(min=2, help="Items that training may be stopped by.")] = 100,
    test: Annotated[int, typer.Option(min=2, help="Items that accuracies are of.")] = 300,
    epochs: Annotated[int, typer.Option(min=1, help="How often each item is learned from.")] = 2,
    learning_rate: Annotated[float, typer.Option(min=0, help="The highest rate, of LoRA.")] = 1e-3,
    batch_items: Annotated[
        int, typer.Option(min=2, help="Items of an update; the confidence's threshold is theirs.")
    ] = 16,
    top_layers: Annotated[int, typer.Option(min=1, help="Layers that are trained; those below are computed once.")] = 2,
    rank: Annotated[int, typer.Option(min=1, help="Rank of the adapters.")] = 8,
    alpha: Annotated[float, typer.Option(min=0, max=1, help="Weight of the confidence at its height.")] = 0.5,
    ramp: Annotated[float, typer.Option(min=0, max=1, help="Share of a training over which alpha rises.")] = 0.2,
    evaluations: Annotated[int, typer.Option(min=1, help="How often a training is measured on its way.")] = 4,
    adapt_tokens: Annotated[
        int, typer.Option(min=0, help="Tokens that cut or new bases learn to write first; `language` students too.")
    ] = 20_000,
    data_seed: Annotated[int, typer.Option(min=0, help="Draws the items, the same for all seeds.")] = 0,
    report_only: Annotated[bool, typer.Option("--report-only", help="Train nothing: report what is finished.")] = False,
    config: ConfigOption = None,
    as_json: SummaryOption = False,
) -> None:
    """Find out how far a strong model comes on a weak one's labels (arXiv 2312.09390).

    For each task, pair and seed a supervisor learns the truth of one half of the items and labels the other half; a
    student learns those labels under each scheme, and its ceiling the truth of the same items. The report has the
    accuracies, PGR = (student - weak) / (ceiling - weak) with its spread, imitation, early stopping, calibration, and
    which of the paper's findings appear. Where the ceiling is not above the supervisor there is no PGR, and it says so.

    `surefoot train weak-to-strong -o w2s/ --pairs 4:30,8:30 --tasks steps=sums,word-order --gsm8k train.jsonl`

    `surefoot train weak-to-strong -o mine/ --pairs scratch-2x64:8 --tasks text=labelled.jsonl --schemes naive,probe`

    The same command goes on where it was interrupted; more pairs, tasks, schemes and seeds may be added to a run, all
    else must be as it was. Every student is in DIR/cells/…/model, ready for the service: an adapter, or of a probe a
    checkpoint, and the profile that serves it.
    """
    settings = load_settings(config)
    plan = CellPlan(
        PartSizes(train, validation, test),
        data_seed=data_seed,
        top_layers=top_layers,
        rank=rank,
        learning_rate=learning_rate,
        epochs=epochs,
        batch_items=batch_items,
        evaluations=evaluations,
        alpha=alpha,
        ramp=ramp,
        adapt_tokens=adapt_tokens,
    )
    sources = [_source(text, gsm8k) for text in _listed(tasks)]
    names = [source.task for source in sources]
    if len(set(names)) < len(names) or not names:
        raise typer.BadParameter("name each task once, one at least", param_hint="--tasks")
    try:
        grid = cells(names, _pairs(pairs), _schemes(schemes), range(seeds), _listed(chain or []))
    except ValueError as cause:
        raise typer.BadParameter(str(cause), param_hint="--pairs") from cause
    if model == "embedded" and not report_only:
        prepare_embedded(settings.cache)
    WeakToStrongRun(output, settings, model, plan, sources, grid, as_json=as_json).execute(report_only=report_only)


def _pairs(given: list[str]) -> list[Pair]:
    found = [parse_pair(text) for text in _listed(given)]
    if not found:
        raise ValueError("name one pair at least, 4:30 say")
    return list(dict.fromkeys(found))


def _schemes(given: list[str]) -> list[Scheme]:
    known: dict[str, Scheme] = {name: name for name in get_args(Scheme)}
    names = _listed(given)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise typer.BadParameter(
            f"{', '.join(unknown) or 'none'}: there are {', '.join(known)}", param_hint="--schemes"
        )
    return list(dict.fromkeys(known[name] for name in names))


def _source(text: str, gsm8k: str | None) -> Source:
    name, _, source = text.partition("=")
    known: dict[str, TaskName] = {each: each for each in TASKS}
    if name not in known:
        raise typer.BadParameter(f"{name}: there are {', '.join(known)}", param_hint="--tasks")
    if name == "text" and not source:
        raise typer.BadParameter("text needs a file: text=FILE.jsonl with {text, label} rows", param_hint="--tasks")
    return Source(known[name], source or gsm8k or "train")


def _listed(given: list[str]) -> list[str]:
    return [part.strip() for text in given for part in text.split(",") if part.strip()]

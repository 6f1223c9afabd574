"""`surefoot train data`: step-labelled solutions, made of problems whose right solutions are known."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Annotated

import typer

from surefoot.answers import MathVerifyJudge
from surefoot.cli.consoles import print_json, progress_console
from surefoot.cli.data_run import DataRun, Sort, Source
from surefoot.cli.jsonl_progress import show_summary
from surefoot.cli.jsonl_run import Tally
from surefoot.cli.row_file import write_files
from surefoot.training.dataset import DataOptions
from surefoot.training.formats import RowFormat, written_rows
from surefoot.training.phrasing import Wording
from surefoot.wiring.data_sources import data_file

Gsm8kOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE",
        help='Rows {"question", "answer"} with calculator annotations; or hub:owner/set/file.jsonl. Repeatable.',
    ),
]
SolutionsOption = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help='Solutions by models: rows {"problem", "solutions", "answer"}. Repeatable.'),
]
LabelledOption = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help="Rows with labels, in any format that --format names. Repeatable."),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help="Problems that are not to be trained on, nor near copies of them. Repeatable."),
]
PerProblemOption = Annotated[
    int, typer.Option(min=0, max=64, help="Corrupted solutions of a GSM8K problem, and phrasings of its true one.")
]
ValidationOption = Annotated[
    float, typer.Option(min=0.0, max=0.9, help="Share of the problems that is kept apart; 0 leaves that file empty.")
]
RowsOption = Annotated[
    int | None, typer.Option(min=1, help="At most so many rows to train on, drawn of all; the report counts the rest.")
]
ConclusionOption = Annotated[
    str | None, typer.Option(help="Wording of the last step, {answer} in it; default: several, drawn.")
]

WordingOption = Annotated[
    Wording,
    typer.Option(
        help="varied: each solution in a style of its own, for verifiers. calculations: all in one style, each step a "
        "calculation and its unit, for generators; small models learn it from few rows."
    ),
]
MaxStepsOption = Annotated[
    int | None, typer.Option(min=1, help="Leave out solutions of more steps, the conclusion counted.")
]


def data(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where the rows and the report go.")],
    gsm8k: Gsm8kOption = None,
    solutions: SolutionsOption = None,
    labelled: LabelledOption = None,
    exclude: ExcludeOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws errors, phrasings and the split.")] = 0,
    per_problem: PerProblemOption = 1,
    validation: ValidationOption = 0.05,
    rows: RowsOption = None,
    max_steps: MaxStepsOption = None,
    conclusion: ConclusionOption = None,
    wording: WordingOption = "varied",
    row_format: Annotated[RowFormat, typer.Option("--format", help="How the rows are written.")] = "surefoot",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Make step-labelled training data: right solutions, and wrong ones whose first error is known.

    A GSM8K solution is corrupted in one place: an arithmetic slip, a wrong operand or operation, swapped quantities, a
    dropped step, a number copied wrongly, a conclusion that contradicts. Its calculator annotations carry the wrong
    value through the later steps. Steps before the error are labelled right, the error wrong, later ones not at all.
    Right and wrong solutions are phrased in the same varied ways. Solutions by models are labelled by their final
    answer, and step by step where an equation settles it.

    `surefoot train data --gsm8k train.jsonl --exclude test.jsonl -o data/ --seed 1 --per-problem 2`

    DIR gets train.jsonl and validation.jsonl, which share no problem, and report.md and report.json, which count them.
    Equal files, options and seed give equal bytes. A bad row is reported and stops nothing; an --exclude file must be
    readable throughout.
    """
    named: dict[Sort, list[str] | None] = {
        "gsm8k": gsm8k,
        "solutions": solutions,
        "labelled": labelled,
        "exclude": exclude,
    }
    _check(gsm8k or solutions or labelled, conclusion, out)
    sources = [Source(sort, name, _found(sort, name)) for sort, names in named.items() for name in names or []]
    options = DataOptions(seed, per_problem, validation, conclusion, rows, wording, max_steps)
    tally = _make(sources, options, out, row_format, as_json=as_json)
    if tally.failed:
        raise typer.Exit(1)


def _make(sources: list[Source], options: DataOptions, out: Path, row_format: RowFormat, *, as_json: bool) -> Tally:
    from surefoot.training.data_report import report_markdown  # with numpy, as in `DataRun.report`

    console = progress_console()
    began = time.monotonic()
    with MathVerifyJudge() as judge:
        run = DataRun(options, judge)
        made = run.execute(sources, console)
    report = run.report(made, _command(sources, options, row_format))
    written = write_files(
        out,
        {
            "train.jsonl": written_rows(made.train, row_format),
            "validation.jsonl": written_rows(made.validation, row_format),
            "report.json": [json.dumps(report, indent=2, ensure_ascii=False), "\n"],
            "report.md": [report_markdown(report)],
        },
    )
    show_summary(console, run.tally.summary(time.monotonic() - began))
    if as_json:
        print_json(report)
    else:
        for path in written:
            typer.echo(f"wrote {path}")
    return run.tally


def _check(given: list[str] | None, conclusion: str | None, out: Path) -> None:
    if not given:
        raise typer.BadParameter("give at least one file of it, of --solutions or of --labelled", param_hint="--gsm8k")
    if conclusion is not None and conclusion.replace("{answer}", "", 1).count("{") + conclusion.count("}") != 1:
        raise typer.BadParameter("it must hold {answer} once and no other brace", param_hint="--conclusion")
    if out.exists() and not out.is_dir():
        raise typer.BadParameter("no directory can be there", param_hint="--out")


def _found(sort: str, name: str) -> Path:
    path = data_file(name)
    if not path.is_file():
        raise typer.BadParameter("there is no such file", param_hint=f"--{sort}")
    return path


def _command(sources: list[Source], options: DataOptions, row_format: RowFormat) -> str:
    """The command that makes the same again; files by their names alone, wherever they are."""
    files = [word for source in sources for word in (f"--{source.sort}", Path(source.name).name)]
    further = [] if options.conclusion is None else ["--conclusion", options.conclusion]
    further += [] if options.rows is None else ["--rows", str(options.rows)]
    further += [] if options.max_steps is None else ["--max-steps", str(options.max_steps)]
    further += [] if options.wording == "varied" else ["--wording", options.wording]
    drawn = ["--seed", options.seed, "--per-problem", options.per_problem, "--validation", options.validation]
    return shlex.join(["surefoot", "train", "data", *files, *map(str, drawn), *further, "--format", row_format])

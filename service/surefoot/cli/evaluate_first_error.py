"""`surefoot evaluate first-error`: how often the first wrong step is found, and where instead."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from surefoot.cli.consoles import output_console, print_json, progress_console
from surefoot.cli.jsonl_command import OverwriteOption, RetryOption, SourceArgument, UrlOption
from surefoot.cli.labelled_run import (
    BatchSizeOption,
    ConcurrencyOption,
    LabelledRun,
    ScoredFile,
    check_source,
    judged_solutions,
)
from surefoot.cli.named_model import ModelOption, NameOption, ProfileOption, named_target
from surefoot.cli.report_files import check_directory, show_files, write_report
from surefoot.cli.serve import ConfigOption
from surefoot.cli.service import build_of

if TYPE_CHECKING:
    from surefoot.evaluation.first_error_measures import FirstErrorMeasures


def first_error(
    context: typer.Context,
    source: SourceArgument,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Where scores, report, tables and heat map go.")
    ],
    threshold: Annotated[
        float | None, typer.Option(help="Measure at this threshold too, beside the profile's own.")
    ] = None,
    profile: ProfileOption = None,
    model: ModelOption = None,
    name: NameOption = None,
    batch_size: BatchSizeOption = 32,
    concurrency: ConcurrencyOption = 4,
    url: UrlOption = None,
    config: ConfigOption = None,
    overwrite: OverwriteOption = False,
    retry_failed: RetryOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Measure how well a process model finds the first wrong step of solutions whose first wrong step is known.

    Rows are those of `surefoot evaluate calibration`. A bad row is reported and stops nothing.

    Accuracy on erroneous solutions, where the first error has to be found at its very step, and on correct ones, where
    none may be found; their harmonic mean, ProcessBench's F1; AUROC of the labelled steps; and the confusion of true
    and found first errors by position.

    DIR gets scores.jsonl, in which the same command goes on where it was interrupted; report.md and report.json,
    measures.csv and confusion.csv; and where matplotlib is installed (the extra `plots`) the heat map as confusion.png
    and confusion.svg.
    """
    check_directory(out)
    check_source(source)
    run = LabelledRun(
        source, named_target(url, config, name, model, profile), batch_size, concurrency, out, overwrite, retry_failed
    )
    scored = run.execute(progress_console(), build_of(context))
    words = ["surefoot", "evaluate", "first-error", source.name, "--profile", profile or scored.profile.name]
    if threshold is not None:
        words += ["--threshold", str(threshold)]
    _measure_and_tell(scored, source.name, out, shlex.join(words), threshold, as_json=as_json)
    if scored.tally.failed:
        raise typer.Exit(1)


def _measure_and_tell(
    scored: ScoredFile, data: str, out: Path, command: str, threshold: float | None, *, as_json: bool
) -> None:
    # Imported here, because the other verbs need not wait for numpy.
    from surefoot.evaluation.first_error_heatmap import draw_confusion
    from surefoot.evaluation.first_error_measures import measure_first_errors
    from surefoot.evaluation.first_error_report import confusion_csv, measures_csv, report_json, report_markdown

    thresholds = [scored.profile.threshold, *([] if threshold in (None, scored.profile.threshold) else [threshold])]
    measures = measure_first_errors(scored.profile, judged_solutions(scored), thresholds)
    facts = {"command": command, "data": data, **scored.facts}
    title = f"{scored.profile.title}: {measures.num_judged_solutions} solutions"
    files = write_report(
        out,
        {
            "report.md": lambda picture: report_markdown(measures, facts, picture),
            "report.json": lambda _: json.dumps(report_json(measures, facts), indent=2, ensure_ascii=False) + "\n",
            "measures.csv": lambda _: measures_csv(measures),
            "confusion.csv": lambda _: confusion_csv(measures),
        },
        "confusion",
        lambda paths: draw_confusion(measures, title, paths),
    )
    if as_json:
        print_json(report_json(measures, facts))
    else:
        console = output_console()
        _show(measures, console)
        show_files(files, console)


def _show(measures: FirstErrorMeasures, console: Console) -> None:
    from surefoot.evaluation.first_error_report import sizes

    console.print(sizes(measures))
    console.print(f"step-level AUROC {measures.auroc:.4f}", style="bold")
    table = Table("threshold", box=None, pad_edge=False)
    for name in ("erroneous", "correct", "F1"):
        table.add_column(name, justify="right")
    for at in measures.at:
        shares = (at.accuracy_erroneous, at.accuracy_correct, at.f1)
        table.add_row(f"{at.threshold:.4f}", *(f"{share:.1%}" for share in shares))
    console.print(table, soft_wrap=False)

"""`surefoot evaluate`: what a reward model's scores are worth against labels."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.consoles import output_console, print_json, progress_console
from surefoot.cli.evaluate_best_of_n import best_of_n
from surefoot.cli.evaluate_first_error import first_error
from surefoot.cli.evaluate_report import report
from surefoot.cli.jsonl_command import OverwriteOption, RetryOption, SourceArgument, UrlOption
from surefoot.cli.labelled_run import (
    BatchSizeOption,
    ConcurrencyOption,
    LabelledRun,
    ScoredFile,
    check_source,
    judged_solutions,
)
from surefoot.cli.named_model import ModelOption, NameOption, ProfileOption, Target, named_target
from surefoot.cli.report_files import check_directory, file_errors
from surefoot.cli.serve import ConfigOption
from surefoot.cli.service import build_of

app = typer.Typer(no_args_is_help=True)
app.command("best-of-n")(best_of_n)
app.command("first-error")(first_error)
app.command("report")(report)


@app.callback()
def evaluate() -> None:
    """Measure reward models against labels, and calibrate them."""


@app.command("calibration")
def calibrate_profile(
    context: typer.Context,
    source: SourceArgument,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Where scores, profile, report and diagram go.")
    ],
    profile: ProfileOption = None,
    model: ModelOption = None,
    name: NameOption = None,
    fit_fraction: Annotated[
        float, typer.Option(min=0.1, max=0.9, help="Share of the solutions to fit on; the rest is measured on.")
    ] = 0.5,
    seed: Annotated[int, typer.Option(min=0, help="Chooses which solutions are fitted on.")] = 0,
    batch_size: BatchSizeOption = 32,
    concurrency: ConcurrencyOption = 4,
    url: UrlOption = None,
    config: ConfigOption = None,
    overwrite: OverwriteOption = False,
    retry_failed: RetryOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Fit a process model's temperature and first-error threshold to labelled steps, and write the calibrated profile.

    A row is {"problem", "steps", "labels"} with 1, true or "+" for a right step, 0, false, -1 or "-" for a wrong one
    and null for no label; or {"problem", "steps", "first_error"} with the index of the first wrong step, null for
    none; or a row of ProcessBench, PRM800K, TRL or Math-Shepherd. Where the file holds -1, 0 is neutral, and counts as
    the profile says. A bad row is reported and stops nothing.

    DIR gets scores.jsonl, in which the same command goes on where it was interrupted; profile.toml, to be used like any
    other profile; report.md and report.json; and where matplotlib is installed (the extra `plots`) the reliability
    diagram as reliability.png and reliability.svg.
    """
    check_directory(out)
    check_source(source)
    run = LabelledRun(
        source,
        _probability_target(url, config, name, model, profile),
        batch_size,
        concurrency,
        out,
        overwrite,
        retry_failed,
    )
    scored = run.execute(progress_console(), build_of(context))
    command = ["surefoot", "evaluate", "calibration", str(source), "--profile", profile or scored.profile.name]
    _fit_and_tell(scored, source.name, out, command, fit_fraction, seed, as_json=as_json)
    if scored.tally.failed:
        raise typer.Exit(1)


def _fit_and_tell(
    scored: ScoredFile, data: str, out: Path, command: list[str], fit_fraction: float, seed: int, *, as_json: bool
) -> None:
    # Imported here, because the other verbs need not wait for numpy.
    from surefoot.cli.calibration_output import show_calibration, write_calibration
    from surefoot.evaluation.calibration import calibrate
    from surefoot.evaluation.calibration_report import report_json

    solutions = judged_solutions(scored)
    calibration = calibrate(scored.profile, solutions, fit_fraction=fit_fraction, seed=seed)
    facts = {
        "data": data,
        **scored.facts,
        "fit_fraction": fit_fraction,
        "seed": seed,
    }
    made_by = shlex.join([*command, "--fit-fraction", str(fit_fraction), "--seed", str(seed)])
    with file_errors():
        files = write_calibration(out, calibration, facts, made_by)
    if as_json:
        print_json(report_json(calibration, facts))
    else:
        show_calibration(calibration, files, output_console())


def _probability_target(
    url: str | None, config: Path | None, name: str | None, model: str | None, profile: str | None
) -> Target:
    """Raises `ScaleNotProbability` before anything is loaded, where the profile is known by then."""
    from surefoot.evaluation.temperature import check_probability

    target = named_target(url, config, name, model, profile)
    if target.profile is not None:
        check_probability(target.profile)
    return target

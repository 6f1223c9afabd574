"""`surefoot evaluate`: what a reward model's scores are worth against labels."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from surefoot.cli.failures import FileFailed
from surefoot.cli.jsonl_command import SourceArgument, UrlOption
from surefoot.cli.labelled_run import LabelledRun, ScoredFile, Target, target_of
from surefoot.cli.serve import ConfigOption
from surefoot.cli.service import build_of
from surefoot.evaluation.labelled_steps import is_right
from surefoot.profiles import load_profile
from surefoot.settings import load_settings

if TYPE_CHECKING:
    from surefoot.evaluation.calibration import JudgedSolution

app = typer.Typer(no_args_is_help=True)


@app.callback()
def evaluate() -> None:
    """Measure reward models against labels, and calibrate them."""


@app.command("calibration")
def calibrate_profile(
    context: typer.Context,
    source: SourceArgument,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where profile, report and diagram go.")],
    profile: Annotated[
        str | None, typer.Option(help="A built-in profile or a .toml file; default: the model's own, or as detected.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="PATH", help="A checkpoint, or `embedded`, instead of a configured model.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", "--model-name", help="A configured or served model; default: the first process model."),
    ] = None,
    fit_fraction: Annotated[
        float, typer.Option(min=0.1, max=0.9, help="Share of the solutions to fit on; the rest is measured on.")
    ] = 0.5,
    seed: Annotated[int, typer.Option(min=0, help="Chooses which solutions are fitted on.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows a request.")] = 32,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests at a time.")] = 4,
    url: UrlOption = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Fit a process model's temperature and first-error threshold to labelled steps, and write the calibrated profile.

    A row is {"problem", "steps", "labels"} with 1, true or "+" for a right step, 0, false, -1 or "-" for a wrong one
    and null for no label; or {"problem", "steps", "first_error"} with the index of the first wrong step, null for
    none; or a row of ProcessBench, PRM800K, TRL or Math-Shepherd. Where the file holds -1, 0 is neutral, and counts as
    the profile says. A bad row is reported and stops nothing.

    DIR gets profile.toml, to be used like any other profile, report.md and report.json, and where matplotlib is
    installed (the extra `plots`) the reliability diagram as reliability.png and reliability.svg.
    """
    _check_files(source, out)
    run = LabelledRun(source, _target(url, config, name, model, profile), batch_size, concurrency)
    with _file_errors():
        scored = run.execute(Console(stderr=True, highlight=False, soft_wrap=True), build_of(context))
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

    zeros_are_neutral = any(each.labelled.has_neutral for each in scored.solutions)
    solutions = _judged(scored, zeros_are_neutral=zeros_are_neutral)
    calibration = calibrate(scored.profile, solutions, fit_fraction=fit_fraction, seed=seed)
    facts = {
        "data": data,
        "rows": scored.tally.rows,
        "failed_rows": scored.tally.failed.total(),
        "labels_of_0": "neutral" if zeros_are_neutral else "wrong",
        "model": scored.model,
        "profile": scored.profile.name,
        "fit_fraction": fit_fraction,
        "seed": seed,
    }
    made_by = shlex.join([*command, "--fit-fraction", str(fit_fraction), "--seed", str(seed)])
    with _file_errors():
        files = write_calibration(out, calibration, facts, made_by)
    if as_json:
        typer.echo(json.dumps(report_json(calibration, facts)))
    else:
        show_calibration(calibration, files, Console(highlight=False, soft_wrap=True))


def _target(url: str | None, config: Path | None, name: str | None, model: str | None, profile: str | None) -> Target:
    from surefoot.evaluation.temperature import check_probability

    if url is None:
        target = target_of(load_settings(config), name, model, profile)
    else:
        target = _served_target(url, config, name, model, profile)
    if target.profile is not None:
        check_probability(target.profile)
    return target


def _served_target(url: str, config: Path | None, name: str | None, model: str | None, profile: str | None) -> Target:
    if model is not None or config is not None:
        raise typer.BadParameter(
            "the server has its models already; --model and --config go without it", param_hint="--url"
        )
    return Target(name, None if profile is None else load_profile(profile), url)


def _judged(scored: ScoredFile, *, zeros_are_neutral: bool) -> list[JudgedSolution]:
    """The labels as right and wrong. A neutral step counts as the profile's `neutral_is_positive` says, which is true
    where its readout knows no third class."""
    from surefoot.evaluation.calibration import JudgedSolution

    zero = zeros_are_neutral and getattr(scored.profile.readout, "neutral_is_positive", True)
    return [
        JudgedSolution(each.raw, tuple(is_right(label, zero=zero) for label in each.labelled.labels))
        for each in scored.solutions
    ]


def _check_files(source: Path, out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise typer.BadParameter("no directory can be there", param_hint="--out")
    if str(source) != "-" and not source.is_file():
        raise typer.BadParameter("there is no such file", param_hint="IN.jsonl")


@contextmanager
def _file_errors() -> Iterator[None]:
    try:
        yield
    except OSError as cause:
        raise FileFailed(f"cannot read or write: {cause.strerror}") from cause

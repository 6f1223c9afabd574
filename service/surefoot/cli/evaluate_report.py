"""`surefoot evaluate report`: everything that labelled data say of a process and an outcome model, on one page."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.answers import MathVerifyJudge
from surefoot.cli.consoles import output_console, print_json, progress_console
from surefoot.cli.jsonl_command import OverwriteOption, RetryOption, UrlOption
from surefoot.cli.named_model import configured, with_models
from surefoot.cli.report_files import draw_pictures, made_directory, show_files
from surefoot.cli.row_file import write_files
from surefoot.cli.serve import ConfigOption
from surefoot.cli.service import FOR_FILES, Build, build_of, connect, in_process
from surefoot.settings import load_settings
from surefoot_client import AsyncSurefootClient

if TYPE_CHECKING:
    from surefoot.cli.report_parts import Part, Report

_TITLE = "Evaluation of reward models"

PrmOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="The process model, or the directory of a trained adapter; default: the first one."
    ),
]
OrmOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="An outcome model, or the directory of a trained adapter.")
]
LabelledOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Solutions with labelled steps: `train data` rows."),
]
SystemsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Solutions of several systems: GSM8K's rows."),
]
PoolsOption = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Pools, as in `best-of-n`; may be given again."),
]
BaseOption = Annotated[
    str | None, typer.Option(metavar="PATH", help="The base of adapters that are named by their directory.")
]


def report(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where scores, report and plots go.")],
    prm: PrmOption = None,
    orm: OrmOption = None,
    labelled: LabelledOption = None,
    systems: SystemsOption = None,
    pools: PoolsOption = None,
    base: BaseOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws resamples of the problems and candidates of votes.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows a request.")] = 8,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests at a time.")] = 4,
    url: UrlOption = None,
    config: ConfigOption = None,
    overwrite: OverwriteOption = False,
    retry_failed: RetryOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Measure a process model and an outcome model on labelled solutions, on several systems' solutions, and on pools.

    Labelled solutions: AUROC of steps by kind of error and by place, first errors, and whole solutions; of the PRM, of
    the arithmetic checks, and of both together. A row is one of `surefoot train data`, or of `evaluate calibration`.

    Systems: a row is {"question", "ground_truth"} and by the name of each system {"is_correct", "solution"}. Balanced
    pairs: how often the right one of two systems' solutions scores higher, where style gains nothing. Choice among the
    systems against majority, chance and the oracle, and differences with their intervals over problems.

    Pools: accuracy against N, as `surefoot evaluate best-of-n` measures it.

    DIR gets a file of scores for each file given, in which the same command goes on where it was interrupted; report.md
    and report.json; and where matplotlib is installed (the extra `plots`) the plots as PNG and SVG.
    """
    # Imported here, because the other verbs need not wait for numpy.
    from surefoot.cli.report_parts import Report
    from surefoot.cli.report_scoring import ReportModels

    if labelled is None and systems is None and not pools:
        raise typer.BadParameter("give --labelled, --systems or --pools: there is nothing to measure on")
    names, client = _models(url, config, prm, orm, base, build_of(context))
    made_directory(out)
    console = progress_console()
    with MathVerifyJudge() as judge:
        words = _words(prm, orm, base, config)
        resuming = (batch_size, concurrency, overwrite, retry_failed)
        whole = Report(out, ReportModels(*names), client, judge, console, words, seed, *resuming)
        parts = _parts(whole, labelled, systems, pools or ())
    left_out = _left_out(parts, has_orm=orm is not None)
    _write_and_tell(out, parts, left_out, as_json=as_json)
    if any(part.num_failed for part in parts.values()):
        raise typer.Exit(1)


def _parts(whole: Report, labelled: Path | None, systems: Path | None, pools: Sequence[Path]) -> dict[str, Part]:
    """What there is data for, in the order of the page."""
    parts: dict[str, Part] = {}
    if labelled is not None:
        parts["labelled"] = whole.labelled(labelled)
    if systems is not None:
        parts["systems"] = whole.systems(systems)
    for number, source in enumerate(pools, start=1):
        parts[f"pools-{number}"] = whole.pools(source, number)
    return parts


def _models(
    url: str | None, config: Path | None, prm: str | None, orm: str | None, base: str | None, build: Build
) -> tuple[tuple[str | None, str | None], Callable[[], AbstractAsyncContextManager[AsyncSurefootClient]]]:
    """Names of both models as they are served, and what gives a client of a server that has them.

    Raises `typer.BadParameter` and what `configured` raises.
    """
    if url is not None:
        if config is not None or base is not None:
            raise typer.BadParameter(
                "the server has its models already; --config and --base go without it", param_hint="--url"
            )
        return (prm, orm), partial(connect, url, None, build, patience=FOR_FILES)
    settings = load_settings(config)
    process, _ = configured(settings, prm, None, None, "process", base=base)
    models = [process]
    if orm is not None:
        models.append(configured(settings, orm, None, None, "outcome", base=base)[0])
    alone = with_models(settings, models)
    return (process.name, None if orm is None else models[-1].name), partial(in_process, alone, build, FOR_FILES)


def _words(prm: str | None, orm: str | None, base: str | None, config: Path | None) -> list[str]:
    given = {"--prm": prm, "--orm": orm, "--base": base, "--config": config}
    options = [word for option, value in given.items() if value is not None for word in (option, str(value))]
    return ["surefoot", "evaluate", "report", *options]


def _left_out(given: Collection[str], *, has_orm: bool) -> list[str]:
    """Lines on what further options would add."""
    lines = {
        "Steps, first errors and whole solutions: --labelled FILE": "labelled" not in given,
        "Balanced pairs and the choice among systems: --systems FILE": "systems" not in given,
        "Accuracy against N: --pools FILE": "pools-1" not in given,
        "The outcome model, beside the process model: --orm NAME": not has_orm,
    }
    return [line for line, is_missing in lines.items() if is_missing]


def _write_and_tell(out: Path, parts: Mapping[str, Part], left_out: Sequence[str], *, as_json: bool) -> None:
    from surefoot.evaluation.report_page import page

    pictures = draw_pictures(out, {name: draw for part in parts.values() for name, draw in part.pictures.items()})
    sections = [part.section for part in parts.values()]
    measures = {name: {"command": part.section.command, **part.measures} for name, part in parts.items()}
    whole = {**measures, "left_out": left_out}
    texts = {
        "report.md": [page(_TITLE, sections, left_out, with_pictures=bool(pictures))],
        "report.json": [json.dumps(whole, indent=2, ensure_ascii=False) + "\n"],
    }
    files = [*write_files(out, texts), *pictures]
    if as_json:
        print_json(whole)
        return
    console = output_console()
    for section in sections:
        console.print(f"{section.title}: {section.headline}", markup=False)
    for line in left_out:
        console.print(f"left out: {line}", markup=False)
    show_files(files, console)

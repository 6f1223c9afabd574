"""`surefoot evaluate best-of-n`: how much better the chosen candidate is, the more there are to choose from."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from surefoot.answers import MathVerifyJudge
from surefoot.cli.consoles import output_console, print_json, progress_console
from surefoot.cli.jsonl_command import FileRun, OverwriteOption, RetryOption, SourceArgument, UrlOption
from surefoot.cli.jsonl_progress import show_summary, shown_progress
from surefoot.cli.pool_rows import POOL_ROW
from surefoot.cli.report_files import made_directory, show_files, write_report
from surefoot.cli.serve import ConfigOption
from surefoot.cli.service import FOR_FILES, build_of, connect
from surefoot.domain import Kind

if TYPE_CHECKING:
    from surefoot.cli.pool_run import ScoredPools
    from surefoot.evaluation.best_of_n_curves import Curve

_SCORES = "scores.jsonl"

OutOption = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where scores, report, table and plot go.")]
ProcessModelOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="The process model; default: the first one that is served.")
]
OutcomeModelOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="An outcome model, for its line in the plot.")
]
MaxNOption = Annotated[
    int | None,
    typer.Option(min=1, help="The largest N; smaller pools are left out. Default: the size of the smallest pool."),
]


def best_of_n(
    context: typer.Context,
    source: SourceArgument,
    out: OutOption,
    process_model: ProcessModelOption = None,
    outcome_model: OutcomeModelOption = None,
    max_n: MaxNOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws the candidates of votes.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Pools a request.")] = 4,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests at a time.")] = 4,
    url: UrlOption = None,
    config: ConfigOption = None,
    overwrite: OverwriteOption = False,
    retry_failed: RetryOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Score pools of candidates and show accuracy against N for every way of choosing one of N.

    A row is {"problem", "answer", "candidates"}: the right answer, and texts or {"text", "answer", "is_correct"}, where
    the last two are found out from the text if they are left out; or {"problem", "answer", "solutions"}; or a row of
    GSM8K's model solutions. A bad row is reported and stops nothing.

    The ways: the PRM's product, minimum, last step and mean; the ORM; the majority of equivalent answers; the same
    weighted with the PRM's product; random choice; and the oracle. N runs over 1, 2, 4, … up to the pool.

    DIR gets scores.jsonl, in which the same command goes on where it was interrupted; report.md and report.json, pass@1
    and pass@N first; curves.csv; and where matplotlib is installed (the extra `plots`) curves.png and curves.svg.
    """
    # Imported here, because the other verbs need not wait for numpy.
    from surefoot.cli.pool_run import PoolScoring, read_pools

    made_directory(out)
    console = progress_console()
    client = partial(connect, url, config, build_of(context), samples=False, patience=FOR_FILES)
    with MathVerifyJudge() as judge:
        scoring = PoolScoring(process_model, outcome_model, judge)
        work, scores = scoring.prepare, out / _SCORES
        summary = FileRun(
            source, scores, overwrite, retry_failed, False, batch_size, concurrency, POOL_ROW, client, work
        ).complete(console)
    show_summary(console, summary)
    facts = _facts(source.name, scoring.models, max_n, seed)
    facts |= {"rows": summary["rows"], "failed_rows": summary["failed"]}
    _measure_and_tell(read_pools(scores), out, max_n, seed, facts, console, as_json=as_json)
    if summary["failed"]:
        raise typer.Exit(1)


def _facts(data: str, models: Mapping[Kind, str], max_n: int | None, seed: int) -> dict[str, Any]:
    """On what, and the command that measures the same again."""
    words = ["surefoot", "evaluate", "best-of-n", data]
    for kind, name in models.items():
        words += [f"--{kind}-model", name]
    if max_n is not None:
        words += ["--max-n", str(max_n)]
    return {
        "command": shlex.join([*words, "--seed", str(seed)]),
        "data": data,
        **{f"{kind}_model": name for kind, name in models.items()},
        "seed": seed,
    }


def _measure_and_tell(
    scored: ScoredPools,
    out: Path,
    max_n: int | None,
    seed: int,
    facts: dict[str, Any],
    console: Console,
    *,
    as_json: bool,
) -> None:
    from surefoot.evaluation.best_of_n_curves import curves, sizes_up_to
    from surefoot.evaluation.best_of_n_report import report_json

    largest = max_n or min(map(len, scored.pools), default=1)
    pools = [pool for pool in scored.pools if len(pool) >= largest]
    facts |= {
        "pools": len(pools),
        "smaller_pools_left_out": len(scored.pools) - len(pools),
        "candidates": sum(map(len, pools)),
        "candidates_not_scored": dict(sorted(scored.unscored.items())),
    }
    with shown_progress(console, 0, len(pools)) as advance:
        found = curves(pools, sizes_up_to(largest), seed, advance)
    files = _written(out, found, facts)
    if as_json:
        print_json(report_json(found, facts))
    else:
        _show(found, files, output_console())


def _written(out: Path, found: Sequence[Curve], facts: Mapping[str, Any]) -> list[Path]:
    from surefoot.evaluation.best_of_n_plot import draw_curves
    from surefoot.evaluation.best_of_n_report import headline, report_csv, report_json, report_markdown

    title = f"{headline(found)}, {facts['pools']} problems"
    return write_report(
        out,
        {
            "report.md": lambda picture: report_markdown(found, facts, picture),
            "report.json": lambda _: json.dumps(report_json(found, facts), indent=2, ensure_ascii=False) + "\n",
            "curves.csv": lambda _: report_csv(found),
        },
        "curves",
        lambda paths: draw_curves(found, title, paths),
    )


def _show(found: Sequence[Curve], files: Sequence[Path], console: Console) -> None:
    from surefoot.evaluation.best_of_n_curves import LINES
    from surefoot.evaluation.best_of_n_report import headline

    console.print(headline(found), style="bold", markup=False)
    table = Table("chosen by", box=None, pad_edge=False)
    for point in found[0].points:
        table.add_column(f"N = {point.n}", justify="right")
    for curve in found:
        table.add_row(
            LINES[curve.line].title, *(f"{point.accuracy:.1%} ± {point.spread:.1%}" for point in curve.points)
        )
    console.print(table, soft_wrap=False)
    show_files(files, console)

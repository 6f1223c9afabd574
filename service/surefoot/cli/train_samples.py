"""`surefoot train samples`: solutions that the generator writes, judged, as rows or as pools."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from surefoot.answers import EquivalenceJudge, MathVerifyJudge
from surefoot.cli.consoles import print_json, progress_console
from surefoot.cli.jsonl_command import OverwriteOption, RetryOption, SummaryOption, UrlOption
from surefoot.cli.jsonl_progress import show_summary, shown_progress
from surefoot.cli.jsonl_run import RowShape
from surefoot.cli.row_file import write_files
from surefoot.cli.sampling_run import (
    Drawing,
    DrawnFile,
    GeneratorOption,
    MaxTokensOption,
    RowsOutput,
    SamplingConcurrency,
    SeedOption,
    TemperatureOption,
    drawn,
    sampling_service,
)
from surefoot.cli.serve import ConfigOption
from surefoot.cli.service import build_of
from surefoot.sampling.seeds import problem_seed
from surefoot.training.formats import written_rows
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.model_solutions import SampledSolutions, posed_problem
from surefoot.training.samples import KEPT, Drawn, Keep, SampleCounts, judged_samples
from surefoot_client import AsyncSurefootClient

WrittenAs = Literal["rows", "pools"]

ProblemsArgument = Annotated[
    Path,
    typer.Argument(metavar="PROBLEMS.jsonl", help='Rows {"problem", "answer"}, or GSM8K\'s {"question", "answer"}.'),
]


def _known_conditions(values: list[str] | None) -> list[str]:
    """Conditions as given; refuses others with the choices."""
    unknown = [value for value in values or () if value not in KEPT]
    if unknown:
        raise typer.BadParameter(f"choose from {', '.join(KEPT)}")
    return values or []


KeepOption = Annotated[
    list[str] | None,
    typer.Option(
        callback=_known_conditions,
        help=f"Which samples become rows: {', '.join(KEPT)}; given twice, both must hold. Default: all.",
    ),
]
AsOption = Annotated[
    WrittenAs,
    typer.Option("--as", help='pools: one row a problem, {"problem", "answer", "solutions"}, with every sample.'),
]
OnlyWayOption = Annotated[
    bool,
    typer.Option(
        "--only-way",
        help="Take the right solution of GSM8K's rows for the only way: in a solution with a wrong answer a step that "
        "comes to anything else is the first error. For word problems, and for weak generators.",
    ),
]


def samples(
    context: typer.Context,
    source: ProblemsArgument,
    output: RowsOutput,
    n: Annotated[int, typer.Option("-n", "--n", min=1, help="Solutions of each problem.")] = 8,
    temperature: TemperatureOption = 0.8,
    max_tokens: MaxTokensOption = 256,
    seed: SeedOption = 0,
    keep: KeepOption = None,
    written_as: AsOption = "rows",
    only_way: OnlyWayOption = False,
    generator: GeneratorOption = None,
    concurrency: SamplingConcurrency = 8,
    url: UrlOption = None,
    config: ConfigOption = None,
    overwrite: OverwriteOption = False,
    retry_failed: RetryOption = False,
    as_json: SummaryOption = False,
) -> None:
    """Sample solutions of every problem, and write those that are wanted as rows to train on.

    A row is one of `surefoot train data`: steps are lines, `is_correct` is judged by the final answer, and steps are
    labelled where an equation settles it. A solution is well-formed that has two lines at least, none of them empty or
    degenerate, a final answer in the last, and that ended by itself. A solution that was drawn twice is one row.

    `surefoot train samples train.jsonl -o format.jsonl --n 4 --keep well-formed --keep correct`

    The generator is that of the configuration, in this process, or with --url that of a running server. The same
    command goes on where it was interrupted; with other --keep, --as or --only-way it draws nothing again. Pools are
    what `surefoot evaluate best-of-n` and `surefoot train data --solutions` read.
    """
    if written_as == "pools" and keep:
        raise typer.BadParameter("a pool holds every sample: leave it out, or give --as rows", param_hint="--keep")
    console = progress_console()
    drawing = Drawing(n, temperature, max_tokens, seed, generator)
    run = DrawnFile(source, output, drawing, concurrency, overwrite, retry_failed)
    client = partial(sampling_service, url, config, build_of(context))
    summary = run.complete(console, PROBLEM_ROW, client, partial(_draw, drawing), {"verb": "train samples"})
    with MathVerifyJudge() as judge, shown_progress(console, 0, summary["succeeded"]) as advance:
        conditions = [name for name in KEPT if name in (keep or ())]
        counts = _write(run, conditions, written_as, judge, advance, only_way=only_way)
    if as_json:
        print_json({**counts, **summary})
    else:
        show_summary(console, summary)
        typer.echo(f"{output}: {_told(counts)}")
    if summary["failed"]:
        raise typer.Exit(1)


def _told(counts: Mapping[str, Any]) -> str:
    return (
        f"{counts['rows_written']} rows; of {counts['drawn']} samples of {counts['problems']} problems "
        f"{counts['well_formed']:.1%} are well-formed, {counts['pass_at_1']:.1%} correct (pass@1), "
        f"{counts['distinct']} distinct"
    )


async def _draw(drawing: Drawing, client: AsyncSurefootClient, item: Mapping[str, Any]) -> dict[str, Any]:
    problem = posed_problem(item).problem
    found = await drawn(client, problem, drawing.options(problem_seed(drawing.seed, problem)), drawing.generator)
    return {"candidates": [{"text": each.text, "finish_reason": each.finish_reason} for each in found.candidates]}


def _write(
    run: DrawnFile,
    keep: Sequence[Keep],
    written_as: WrittenAs,
    judge: EquivalenceJudge,
    advance: Callable[[], None],
    *,
    only_way: bool,
) -> dict[str, Any]:
    """Judge what was drawn and write it; what it came to."""
    counts = SampleCounts()
    read = partial(_posed, only_way=only_way)
    found = list(_judged(run, read, judge, counts, keep, advance))
    if written_as == "pools":
        written = [json.dumps(pool, ensure_ascii=False) + "\n" for pool, _ in found]
        report = counts.report() | {"rows_written": len(written)}
    else:
        written = list(written_rows([row for _, rows in found for row in rows], "surefoot"))
        report = counts.report()
    write_files(run.output.parent, {run.output.name: written})
    return report


def _posed(row: Mapping[str, Any], *, only_way: bool) -> SampledSolutions:
    return replace(posed_problem(row), only_way=only_way)


def _judged(
    run: DrawnFile,
    read: Callable[[Mapping[str, Any]], SampledSolutions],
    judge: EquivalenceJudge,
    counts: SampleCounts,
    keep: Sequence[Keep],
    advance: Callable[[], None],
) -> Iterator[tuple[dict[str, Any], list[LabelledRow]]]:
    """Each problem as a pool, and the rows that are kept of it."""
    for line, posed, result in run.rows(read):
        given = [Drawn(each["text"], each["finish_reason"] == "stop") for each in result["candidates"]]
        pool = {"problem": posed.problem, "answer": posed.answer, "solutions": [each.text for each in given]}
        yield pool, counts.kept(judged_samples(posed, given, judge, run.source.stem, line), keep)
        advance()


def _refusal(item: Mapping[str, object]) -> str | None:
    try:
        posed_problem(item)
    except ValueError as cause:
        return str(cause)
    return None


PROBLEM_ROW = RowShape(("problem", "question", "answer", "ground_truth"), _refusal)

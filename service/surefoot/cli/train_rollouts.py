"""`surefoot train rollouts`: Monte-Carlo step labels from the configured generator."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from surefoot.answers import EquivalenceJudge, MathVerifyJudge
from surefoot.cli.consoles import print_json, progress_console
from surefoot.cli.jsonl_command import OverwriteOption, RetryOption, SummaryOption, UrlOption
from surefoot.cli.jsonl_progress import show_summary
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
    ServedSampler,
    TemperatureOption,
    sampling_service,
)
from surefoot.cli.serve import ConfigOption
from surefoot.cli.service import build_of
from surefoot.evaluation.labelled_steps import FIELDS, NULLABLE
from surefoot.sampling.seeds import problem_seed
from surefoot.training.formats import written_rows
from surefoot.training.labelled_row import LabelledRow, rows_from
from surefoot.training.rollouts import RolloutLabels, rollout_labels, with_hard_labels
from surefoot_client import AsyncSurefootClient

SolutionsArgument = Annotated[
    Path, typer.Argument(metavar="ROWS.jsonl", help="Solutions in steps with the right answer, labelled or not.")
]
EveryStepOption = Annotated[
    bool, typer.Option("--every-step", help="Soft labels after the first error too, where supervision stops.")
]


def rollouts(
    context: typer.Context,
    source: SolutionsArgument,
    output: RowsOutput,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Completions of each prefix.")] = 8,
    temperature: TemperatureOption = 0.8,
    max_tokens: MaxTokensOption = 256,
    seed: SeedOption = 0,
    every_step: EveryStepOption = False,
    generator: GeneratorOption = None,
    concurrency: SamplingConcurrency = 8,
    url: UrlOption = None,
    config: ConfigOption = None,
    overwrite: OverwriteOption = False,
    retry_failed: RetryOption = False,
    as_json: SummaryOption = False,
) -> None:
    """Label steps by rollouts: K completions of each prefix, and whether any, or which share, reaches the right answer.

    ROWS.jsonl are rows of `surefoot train data` or `surefoot train samples`; labels that they have are replaced.
    `labels` are the hard ones of Math-Shepherd, `soft_labels` the shares, which `surefoot train prm` learns from first.
    The last step is judged by the solution's own answer, and nothing is drawn behind the first step that no completion
    saves, unless --every-step asks for it.

    `surefoot train rollouts samples.jsonl -o labelled.jsonl --k 8`

    The generator is that of the configuration, in this process, or with --url that of a running server. The same
    command goes on where it was interrupted.
    """
    console = progress_console()
    drawing = Drawing(k, temperature, max_tokens, seed, generator)
    run = DrawnFile(source, output, drawing, concurrency, overwrite, retry_failed)
    client = partial(sampling_service, url, config, build_of(context))
    depends_on = {"verb": "train rollouts", "every_step": every_step}
    with MathVerifyJudge() as judge:
        draw = partial(_draw, drawing, judge, every_step)
        summary = run.complete(console, SOLUTION_ROW, client, draw, depends_on)
    rows = [
        with_hard_labels(row, RolloutLabels(tuple(result["fractions"]))) for _, row, result in run.rows(solution_row)
    ]
    write_files(output.parent, {output.name: written_rows(rows, "surefoot")})
    with_an_error = sum(row.first_error is not None for row in rows)
    if as_json:
        print_json({"rows_written": len(rows), "with_an_error": with_an_error, **summary})
    else:
        show_summary(console, summary)
        typer.echo(f"{output}: {len(rows)} rows, {with_an_error} of them with an error")
    if summary["failed"]:
        raise typer.Exit(1)


async def _draw(
    drawing: Drawing,
    judge: EquivalenceJudge,
    every_step: bool,
    client: AsyncSurefootClient,
    item: Mapping[str, Any],
) -> dict[str, Any]:
    row = solution_row(item)
    options = drawing.options(problem_seed(drawing.seed, "\n".join((row.problem, *row.steps))))
    sampler = ServedSampler(client, drawing.generator)
    return {"fractions": (await rollout_labels(row, sampler, judge, options, every_step=every_step)).fractions}


def solution_row(item: Mapping[str, Any]) -> LabelledRow:
    """The row whose steps are to be labelled. Raises `ValueError`, which names the field."""
    (row,) = rows_from([{"soft_labels": None, **item}], "unknown")
    if row.answer is None or not row.answer.strip():
        raise ValueError("answer must be a text that is not blank: completions are held against it")
    return row


def _refusal(item: Mapping[str, object]) -> str | None:
    try:
        solution_row(item)
    except ValueError as cause:
        return str(cause)
    return None


SOLUTION_ROW = RowShape((*FIELDS, "answer", "is_correct", "soft_labels"), _refusal, NULLABLE)

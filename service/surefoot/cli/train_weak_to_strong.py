"""`surefoot train weak-to-strong`: what a strong model makes of a weak one's labels, as one experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from surefoot.cli import weak_to_strong_options as options
from surefoot.cli.jsonl_command import SummaryOption
from surefoot.cli.models import prepare_embedded
from surefoot.cli.serve import ConfigOption
from surefoot.cli.weak_to_strong_run import WeakToStrongRun
from surefoot.experiments.weak_to_strong.plan import CellPlan, cells
from surefoot.experiments.weak_to_strong.split import PartSizes
from surefoot.settings import load_settings


def weak_to_strong(
    output: options.Output,
    pairs: options.Pairs = None,
    tasks: options.Tasks = None,
    schemes: options.Schemes = None,
    seeds: options.Seeds = 3,
    gsm8k: options.Gsm8k = None,
    model: options.Base = "embedded",
    method: options.MethodOption = "finetune",
    chain: options.Chain = None,
    train: options.Train = 400,
    validation: options.Validation = 100,
    test: options.Test = 300,
    epochs: options.Epochs = 2,
    learning_rate: options.Rate = 1e-3,
    batch_items: options.BatchItems = 16,
    top_layers: options.TopLayers = 2,
    rank: options.Rank = 8,
    alpha: options.Alpha = 0.5,
    ramp: options.Ramp = 0.2,
    evaluations: options.Evaluations = 4,
    adapt_tokens: options.AdaptTokens = 20_000,
    data_seed: options.DataSeed = 0,
    report_only: options.ReportOnly = False,
    config: ConfigOption = None,
    as_json: SummaryOption = False,
) -> None:
    """Find out how far a strong model comes on a weak one's labels (arXiv 2312.09390).

    For each task, pair and seed a supervisor learns the truth of one half of the items and labels the other half; a
    student learns those labels under each scheme, and its ceiling the truth of the same items. The report has the
    accuracies, PGR = (student - weak) / (ceiling - weak) with its spread, imitation, early stopping, calibration, and
    which of the paper's findings appear. Where the ceiling is not above the supervisor there is no PGR.

    `surefoot train weak-to-strong -o w2s/ --pairs 4:30,8:30 --tasks steps=sums,word-order --gsm8k train.jsonl`

    `surefoot train weak-to-strong -o own/ --pairs scratch-2x64:8 --tasks text=labelled.jsonl --schemes naive,probe`

    The same command goes on where it was interrupted; pairs, tasks, schemes and seeds may be added to a run. Every
    model is in DIR/cells/…/model: an adapter or a checkpoint, and the profile that serves it.
    """
    _run(locals())


def _run(given: Mapping[str, Any]) -> None:
    """Run what the verb was given, by the names of its parameters."""
    settings = load_settings(given["config"])
    plan = CellPlan(
        PartSizes(given["train"], given["validation"], given["test"]),
        **{
            name: given[name]
            for name in (
                *("method", "data_seed", "top_layers", "rank", "learning_rate", "epochs", "batch_items", "evaluations"),
                *("alpha", "ramp", "adapt_tokens"),
            )
        },
    )
    sources = options.sources_of(given["tasks"] or ["steps=sums", "word-order"], given["gsm8k"])
    pairs = options.pairs_of(given["pairs"] or ["4:30", "8:30"])
    schemes = options.schemes_of(given["schemes"] or ["naive", "confidence"])
    tasks = [source.task for source in sources]
    try:
        grid = cells(tasks, pairs, schemes, range(given["seeds"]), options.listed(given["chain"] or []))
    except ValueError as cause:
        raise typer.BadParameter(str(cause), param_hint="--chain") from cause
    if given["model"] == "embedded" and not given["report_only"]:
        prepare_embedded(settings.cache)
    run = WeakToStrongRun(given["output"], settings, given["model"], plan, sources, grid, as_json=given["as_json"])
    run.execute(report_only=given["report_only"])

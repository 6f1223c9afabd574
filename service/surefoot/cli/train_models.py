"""`surefoot train prm | orm | generator`: LoRA adapters on any base model, trained as they are served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import typer

from surefoot.cli.models import prepare_embedded
from surefoot.cli.serve import ConfigOption
from surefoot.cli.training_options import (
    Accumulate,
    Alpha,
    AnswersOption,
    AsJson,
    Base,
    BaseType,
    BatchTokens,
    Best,
    Dropout,
    Epochs,
    EveryToken,
    KeptGib,
    Output,
    Overwrite,
    Patience,
    ProfileName,
    Rank,
    Rate,
    Resume,
    SaveEvery,
    Seed,
    Source,
    StartFrom,
    StoredAs,
    TailTokens,
    Targets,
    TopLayers,
    Validation,
    Weights,
    WordsWeight,
)
from surefoot.cli.training_run import TrainingRun
from surefoot.domain import Kind
from surefoot.settings import ModelSettings, Settings, load_settings
from surefoot.training.examples import Answers, is_wanted
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.lora_shape import LoraShape
from surefoot.training.plan import TrainingPlan

if TYPE_CHECKING:
    from surefoot.wiring.training import TrainingBase


def prm(
    source: Source,
    output: Output,
    validation: Validation = None,
    model: Base = "embedded",
    profile: ProfileName = "embedded-prm",
    tail_tokens: TailTokens = 1,
    words_weight: WordsWeight = 0.0,
    start_from: StartFrom = None,
    rank: Rank = 16,
    alpha: Alpha = None,
    dropout: Dropout = 0.0,
    top_layers: TopLayers = 0,
    targets: Targets = "",
    epochs: Epochs = 2,
    learning_rate: Rate = 2e-4,
    batch_tokens: BatchTokens = 2048,
    accumulate: Accumulate = 1,
    class_weights: Weights = "none",
    best_by: Best = "loss",
    patience: Patience = 2,
    seed: Seed = 1,
    dtype: BaseType = "auto",
    stored_as: StoredAs = "bfloat16",
    save_every: SaveEvery = 50,
    kept_gib: KeptGib = 4.0,
    resume: Resume = False,
    overwrite: Overwrite = False,
    config: ConfigOption = None,
    as_json: AsJson = False,
) -> None:
    """Train a process reward model: after each step, whether it is right.

    Rows are those of `surefoot train data`. Steps count up to the first error; steps without a label count for nothing,
    soft labels as the probabilities that they are. Each epoch is measured by the scores that will be served, with the
    adapter as it is stored. Serve it, beside others on the same base, with

    `[[models]]` `name = "prm"` `profile = "DIR/profile.toml"` `adapter = "DIR"`
    """
    _train(locals(), "process")


def orm(
    source: Source,
    output: Output,
    validation: Validation = None,
    model: Base = "embedded",
    profile: ProfileName = "embedded-orm",
    every_token: EveryToken = True,
    words_weight: WordsWeight = 0.0,
    start_from: StartFrom = None,
    rank: Rank = 16,
    alpha: Alpha = None,
    dropout: Dropout = 0.0,
    top_layers: TopLayers = 0,
    targets: Targets = "",
    epochs: Epochs = 2,
    learning_rate: Rate = 2e-4,
    batch_tokens: BatchTokens = 2048,
    accumulate: Accumulate = 1,
    class_weights: Weights = "none",
    best_by: Best = "loss",
    patience: Patience = 2,
    seed: Seed = 1,
    dtype: BaseType = "auto",
    stored_as: StoredAs = "bfloat16",
    save_every: SaveEvery = 50,
    kept_gib: KeptGib = 4.0,
    resume: Resume = False,
    overwrite: Overwrite = False,
    config: ConfigOption = None,
    as_json: AsJson = False,
) -> None:
    """Train an outcome reward model: whether the whole solution is right, by its final answer.

    Rows say so with `is_correct`, else with the labels of their steps. Every token of a solution is a target; what
    counts, and is measured, is the one that is read when it is served. Serve it as `surefoot train prm` says.
    """
    _train(locals(), "outcome")


def generator(
    source: Source,
    output: Output,
    validation: Validation = None,
    model: Base = "embedded",
    answers: AnswersOption = "correct",
    start_from: StartFrom = None,
    rank: Rank = 16,
    alpha: Alpha = None,
    dropout: Dropout = 0.0,
    top_layers: TopLayers = 0,
    targets: Targets = "",
    epochs: Epochs = 1,
    learning_rate: Rate = 2e-4,
    batch_tokens: BatchTokens = 2048,
    accumulate: Accumulate = 1,
    best_by: Best = "loss",
    patience: Patience = 2,
    seed: Seed = 1,
    dtype: BaseType = "auto",
    stored_as: StoredAs = "bfloat16",
    save_every: SaveEvery = 50,
    kept_gib: KeptGib = 4.0,
    resume: Resume = False,
    overwrite: Overwrite = False,
    config: ConfigOption = None,
    as_json: AsJson = False,
) -> None:
    """Train a generator to write solutions in steps, one a line, after the prompt that the service gives it.

    Only the solution is a target, not the prompt. The prompt is that of the configured generator: its instructions and
    examples, which training makes dispensable, and which cost most of the time.
    """
    _train(locals(), "generator")


def _train(given: Mapping[str, Any], role: Kind | Literal["generator"]) -> None:
    """Run what a verb was given, by the names of its parameters."""
    settings = load_settings(given["config"])
    model = ModelSettings(
        name="trained", path=given["model"], profile=given.get("profile", "auto"), dtype=given["dtype"]
    )
    open_base = partial(_generator_base, settings, model)
    is_wanted = partial(_is_wanted, given.get("answers", "any"))
    if role != "generator":
        targets = {name: given[name] for name in ("every_token", "tail_tokens") if name in given}
        open_base = partial(_reward_base, settings, model, role, words=given["words_weight"] > 0, **targets)
    known = {field.name for field in fields(TrainingPlan)}
    plan = TrainingPlan(
        **{name: value for name, value in given.items() if name in known}, save_every_steps=given["save_every"]
    )
    TrainingRun(
        source=given["source"],
        output=given["output"],
        validation=given["validation"],
        open_base=open_base,
        shape=_shape(given["rank"], given["alpha"], given["dropout"], given["top_layers"], given["targets"]),
        plan=plan,
        stored_as=given["stored_as"],
        kept_bytes=int(given["kept_gib"] * 2**30),
        start_from=given["start_from"],
        resume=given["resume"],
        overwrite=given["overwrite"],
        as_json=given["as_json"],
        is_wanted=is_wanted,
    ).execute()


def _is_wanted(answers: Answers, row: LabelledRow) -> bool:
    return is_wanted(row, answers)


def _shape(rank: int, alpha: float | None, dropout: float, top_layers: int, targets: str) -> LoraShape:
    names = tuple(name.strip() for name in targets.split(",") if name.strip())
    return LoraShape(rank, 2.0 * rank if alpha is None else alpha, dropout, top_layers, names)


def _reward_base(settings: Settings, model: ModelSettings, kind: Kind, **targets: Any) -> TrainingBase:
    from surefoot.wiring.detection import profile_of
    from surefoot.wiring.training import open_reward_base

    _prepare(model, settings)
    profile = profile_of(model, settings)
    if profile.kind != kind:
        verb = {"process": "prm", "outcome": "orm"}[profile.kind]
        raise typer.BadParameter(f"{profile.name} is one of an {profile.kind} model: `surefoot train {verb}` trains it")
    return open_reward_base(model, profile, settings, **targets)


def _generator_base(settings: Settings, model: ModelSettings) -> TrainingBase:
    from surefoot.wiring.training import open_generator_base

    _prepare(model, settings)
    return open_generator_base(model, settings.generator, settings)


def _prepare(model: ModelSettings, settings: Settings) -> None:
    if model.path == "embedded":
        prepare_embedded(settings.cache)

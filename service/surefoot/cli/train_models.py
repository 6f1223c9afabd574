"""`surefoot train prm | orm | generator`: LoRA adapters on any base model, trained as they are served."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from surefoot.cli.models import prepare_embedded
from surefoot.cli.serve import ConfigOption
from surefoot.cli.training_run import HELD_OUT, TrainingRun
from surefoot.domain import Kind
from surefoot.settings import ModelSettings, Settings, load_settings
from surefoot.settings.section import Dtype
from surefoot.training.class_weights import ClassWeights
from surefoot.training.examples import Answers, is_wanted
from surefoot.training.lora_shape import LoraShape
from surefoot.training.plan import BestBy, TrainingPlan

if TYPE_CHECKING:
    from surefoot.wiring.training import TrainingBase

Source = Annotated[Path, typer.Argument(metavar="TRAIN.jsonl", help="Labelled rows, as `surefoot train data` writes.")]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where the adapter goes.")]
Validation = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.jsonl", help=f"Rows to measure on; default: all rows of {HELD_OUT:.0%} of the problems."
    ),
]
Base = Annotated[str, typer.Option("--model", metavar="PATH", help="`embedded`, a directory, or `hub:owner/name`.")]
ProfileName = Annotated[
    str, typer.Option("--profile", help="A built-in profile or a .toml file: how it will be served.")
]
Rank = Annotated[int, typer.Option(min=1, help="Rank of the adapter; its size grows with it.")]
Alpha = Annotated[
    float | None, typer.Option(min=0, help="The adapter is scaled by alpha / rank; default: twice the rank.")
]
Dropout = Annotated[float, typer.Option(min=0, max=0.9, help="Share of the adapter's inputs that is dropped.")]
TopLayers = Annotated[int, typer.Option(min=0, help="Adapt so many layers from the output; 0: all. Fewer are faster.")]
Targets = Annotated[str, typer.Option(help="Linear parts to adapt, q_proj,v_proj say; default: all.")]
Epochs = Annotated[int, typer.Option(min=1, help="Passes over the rows.")]
Rate = Annotated[float, typer.Option("--learning-rate", min=0, help="Its peak.")]
BatchTokens = Annotated[int, typer.Option(min=1, help="Tokens a forward pass; more is faster until memory says stop.")]
Accumulate = Annotated[int, typer.Option(min=1, help="Passes whose gradients make one update.")]
Weights = Annotated[ClassWeights, typer.Option("--class-weights", help="balanced: right and wrong weigh the same.")]
EveryToken = Annotated[
    bool, typer.Option("--every-token/--final-token", help="Targets: every token of the solution, or its end alone.")
]
TailTokens = Annotated[int, typer.Option(min=1, help="Last tokens of a step that share its target; 1: its end alone.")]
AnswersOption = Annotated[Answers, typer.Option(help="Learn from solutions whose final answer is so.")]
Best = Annotated[BestBy, typer.Option("--best-by", help="The measure that decides which epoch is kept.")]
Patience = Annotated[int, typer.Option(min=1, help="End after so many epochs without a better one.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the first weights, of the order and of dropout.")]
BaseType = Annotated[Dtype, typer.Option("--dtype", help="Of the base; auto: bf16 where the processor multiplies it.")]
StoredAs = Annotated[Literal["bfloat16", "float32"], typer.Option("--stored-as", help="Of the adapter's file.")]
SaveEvery = Annotated[int, typer.Option(min=1, help="Updates between two states to go on from.")]
KeptGib = Annotated[
    float,
    typer.Option(
        "--kept-gib", min=0, help="Memory for what layers below the adapted ones give: once, not in every epoch."
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the unfinished run in DIR.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Begin again, whatever is in DIR.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]


def prm(
    source: Source,
    output: Output,
    validation: Validation = None,
    model: Base = "embedded",
    profile: ProfileName = "embedded-prm",
    tail_tokens: TailTokens = 1,
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
    shape = _shape(rank, alpha, dropout, top_layers, targets)
    plan = TrainingPlan(
        epochs, learning_rate, batch_tokens, accumulate, patience, best_by, class_weights, seed, save_every
    )
    settings = load_settings(config)
    base = partial(_reward_base, settings, _model(model, profile, dtype), "process", tail_tokens=tail_tokens)
    TrainingRun(
        source, output, validation, base, shape, plan, stored_as, _bytes(kept_gib), resume, overwrite, as_json
    ).execute()


def orm(
    source: Source,
    output: Output,
    validation: Validation = None,
    model: Base = "embedded",
    profile: ProfileName = "embedded-orm",
    every_token: EveryToken = True,
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
    shape = _shape(rank, alpha, dropout, top_layers, targets)
    plan = TrainingPlan(
        epochs, learning_rate, batch_tokens, accumulate, patience, best_by, class_weights, seed, save_every
    )
    settings = load_settings(config)
    base = partial(_reward_base, settings, _model(model, profile, dtype), "outcome", every_token=every_token)
    TrainingRun(
        source, output, validation, base, shape, plan, stored_as, _bytes(kept_gib), resume, overwrite, as_json
    ).execute()


def generator(
    source: Source,
    output: Output,
    validation: Validation = None,
    model: Base = "embedded",
    answers: AnswersOption = "correct",
    rank: Rank = 16,
    alpha: Alpha = None,
    dropout: Dropout = 0.0,
    top_layers: TopLayers = 0,
    targets: Targets = "",
    epochs: Epochs = 1,
    learning_rate: Rate = 2e-4,
    batch_tokens: BatchTokens = 2048,
    accumulate: Accumulate = 1,
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
    shape = _shape(rank, alpha, dropout, top_layers, targets)
    plan = TrainingPlan(
        epochs, learning_rate, batch_tokens, accumulate, patience, seed=seed, save_every_steps=save_every
    )
    base = partial(_generator_base, load_settings(config), _model(model, "auto", dtype))
    TrainingRun(
        source,
        output,
        validation,
        base,
        shape,
        plan,
        stored_as,
        _bytes(kept_gib),
        resume,
        overwrite,
        as_json,
        lambda row: is_wanted(row, answers),
    ).execute()


def _bytes(gib: float) -> int:
    return int(gib * 2**30)


def _shape(rank: int, alpha: float | None, dropout: float, top_layers: int, targets: str) -> LoraShape:
    names = tuple(name.strip() for name in targets.split(",") if name.strip())
    return LoraShape(rank, 2.0 * rank if alpha is None else alpha, dropout, top_layers, names)


def _model(path: str, profile: str, dtype: Dtype) -> ModelSettings:
    return ModelSettings(name="trained", path=path, profile=profile, dtype=dtype)


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

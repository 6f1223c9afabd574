"""Options that the verbs of training share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from surefoot.cli.training_run import HELD_OUT
from surefoot.settings.section import Dtype
from surefoot.training.class_weights import ClassWeights
from surefoot.training.examples import Answers
from surefoot.training.plan import BestBy

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
WordsWeight = Annotated[
    float, typer.Option(min=0, help="Of the loss of writing right steps, beside that of judging them; 0: judge only.")
]
StartFrom = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Begin with this adapter's values: the generator's, say.")
]
Best = Annotated[
    BestBy, typer.Option("--best-by", help="The measure that decides which epoch is kept; last: the newest.")
]
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

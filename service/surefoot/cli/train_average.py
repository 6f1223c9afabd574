"""`surefoot train average`: an adapter between two others."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.consoles import print_json
from surefoot.cli.training_options import AsJson, Output, Overwrite

First = Annotated[Path, typer.Argument(metavar="FIRST", help="The adapter that was trained first.", exists=True)]
Second = Annotated[
    Path, typer.Argument(metavar="SECOND", help="The one that was trained on from it (--start-from).", exists=True)
]
Share = Annotated[float, typer.Option(min=0.0, max=1.0, help="Of the second one; the rest is of the first.")]


def average(
    first: First,
    second: Second,
    output: Output,
    share: Share = 0.5,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Average the values of an adapter and of one that was trained on from it; no data is needed.

    Training on rows of a new kind loses some of what was known of others. Halfway back an adapter keeps nearly all of
    that, and part of what is new. Which share is best is for `surefoot evaluate report` to say, on validation rows.

    `surefoot train average adapters/prm adapters/prm_more -o adapters/prm_mean --share 0.5`
    """
    from surefoot.modeling.adapters import FACTS, read_adapter
    from surefoot.training.adapter_files import write_averaged
    from surefoot.training.averaging import averaged

    if (output / FACTS).exists() and not overwrite:
        raise typer.BadParameter("there is an adapter; --overwrite replaces it", param_hint="--output")
    one, other = read_adapter(first), read_adapter(second)
    command = ["surefoot", "train", "average", str(first), str(second), "-o", str(output), "--share", f"{share:g}"]
    facts = {"command": shlex.join(command), "averaged": [one.id, other.id], "share": share}
    mean = averaged(one, other, share)
    output.mkdir(parents=True, exist_ok=True)
    write_averaged(output, mean, second, facts)
    if as_json:
        print_json({"output": str(output), **facts})
        return
    typer.echo(f"wrote {output}: {share:g} of {second}, the rest of {first}")

"""`surefoot train problems`: word problems that a small model can solve, with worked solutions."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.consoles import print_json
from surefoot.cli.jsonl_command import SummaryOption
from surefoot.cli.row_file import write_files
from surefoot.training.word_problems.drawing import word_problems
from surefoot.training.word_problems.splits import TEMPLATES
from surefoot.training.word_problems.template import Split

SplitOption = Annotated[Split, typer.Option(help="Which templates; no two splits share one.")]
CountOption = Annotated[int, typer.Option(min=1, max=1_000_000, help="How many problems; no two are the same.")]
OutOption = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the rows go, one a line.")]


def problems(
    out: OutOption,
    split: SplitOption = "train",
    count: CountOption = 3000,
    seed: Annotated[int, typer.Option(min=0, help="Draws situations, wordings, names and numbers.")] = 0,
    as_json: SummaryOption = False,
) -> None:
    """Write grade-school word problems of one to three steps, with worked solutions in GSM8K's format.

    Situations, wordings and names vary; the numbers stay small (sums and differences mostly below 100, products mostly
    of the tables up to 12 x 12, divisions without remainder), so that a model of 100M parameters can learn to solve
    them, and a reward model on it to judge them. The templates of the splits are disjoint: who has learned from train
    has seen no situation of test.

    `surefoot train problems --split train --count 3000 --seed 1 -o problems.jsonl`

    `surefoot train problems --split test --count 500 -o test.jsonl`

    `surefoot train data --gsm8k problems.jsonl --exclude test.jsonl --validation 0 -o data/`

    Rows are {"question", "answer", "template", "num_steps"}. Equal options give equal bytes, and a larger count begins
    with the problems of a smaller one. FILE is written whole or not at all.
    """
    if out.is_dir():
        raise typer.BadParameter("this is a directory; name a file", param_hint="--out")
    made = list(word_problems(TEMPLATES[split], count, seed))
    write_files(out.parent, {out.name: (json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in made)})
    by_steps = sorted(Counter(each.num_steps for each in made).items())
    num_templates = len({each.template for each in made})
    if as_json:
        print_json({"problems": len(made), "templates": num_templates, "by_steps": dict(by_steps)})
        return
    counted = ", ".join(f"{number} of {steps} step{'s' if steps > 1 else ''}" for steps, number in by_steps)
    typer.echo(f"wrote {out}: {len(made)} problems of {num_templates} templates, {counted}")

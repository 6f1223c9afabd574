"""`surefoot solve`: sample solutions of a problem, score every step, pick the best."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, get_args

import typer

from surefoot.cli.consoles import output_console, print_json, progress_console
from surefoot.cli.serve import ConfigOption
from surefoot.cli.service import build_of, connect
from surefoot.cli.show import save_picture, tell_best_of_n
from surefoot.domain import Strategy
from surefoot_client import BestOfN, ModelInfo


def known_strategy(value: str) -> str:
    """A strategy as given; refuses others with the choices."""
    if value not in get_args(Strategy):
        raise typer.BadParameter(f"choose from {', '.join(get_args(Strategy))}")
    return value


def solve(
    context: typer.Context,
    problem: Annotated[str, typer.Argument(help="The problem, in quotes.")],
    n: Annotated[int, typer.Option("-n", "--candidates", min=1, help="How many candidates to sample.")] = 8,
    strategy: Annotated[
        str, typer.Option(callback=known_strategy, help=f"How to pick: {', '.join(get_args(Strategy))}.")
    ] = "process",
    temperature: Annotated[float, typer.Option(min=0.0, help="Sampling temperature; 0 needs -n 1.")] = 0.7,
    max_tokens: Annotated[int, typer.Option(min=1, help="Tokens of each candidate at most.")] = 256,
    seed: Annotated[int | None, typer.Option(min=0, help="Makes the candidates repeatable.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Use a running server instead of starting one in this process.")
    ] = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the server's answer as JSON.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Also save what is shown as a picture.")] = None,
) -> None:
    """Sample N solutions of PROBLEM, score every step, and show where each goes wrong and which one is best.

    Without --url everything runs in this process, sampling with transformers unless the configuration names an engine:
    starting vLLM takes longer than one problem repays.
    """
    if svg is not None and not svg.absolute().parent.is_dir():
        raise typer.BadParameter("no file can be there", param_hint="--svg")
    sampling = {"n": n, "temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    errors = progress_console()

    async def work() -> tuple[BestOfN, tuple[ModelInfo, ...]]:
        with errors.status("starting") as status:
            async with connect(url, config, build_of(context)) as client:
                status.update(f"sampling {n} candidates and scoring them")
                found = await client.best_of_n(
                    problem,
                    sampling={name: value for name, value in sampling.items() if value is not None},
                    ranking={"strategy": strategy},
                )
                return found, (await client.models()).models

    found, models = asyncio.run(work())
    if as_json:
        print_json(found.to_dict())
    else:
        tell_best_of_n(output_console(), problem, found, models, strategy)
    if svg is not None:
        save_picture(svg, problem, found, models, strategy)

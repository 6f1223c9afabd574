"""`surefoot best-of-n`: sample and rank solutions of every problem of a JSONL file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, get_args

import typer

from surefoot.cli.consoles import output_console
from surefoot.cli.jsonl_command import (
    FileRun,
    OverwriteOption,
    Prepared,
    RetryOption,
    ShownOutputOption,
    SourceArgument,
    SummaryOption,
    UrlOption,
    destination,
)
from surefoot.cli.jsonl_run import Failure, Outcome, RowShape
from surefoot.cli.row_show import show_best_of_n_row
from surefoot.cli.score import is_message
from surefoot.cli.serve import ConfigOption
from surefoot.cli.service import FOR_FILES, build_of, connect
from surefoot.cli.solve import known_strategy
from surefoot.domain import Strategy
from surefoot_client import AsyncSurefootClient, ItemError, ServerError


def best_of_n(
    context: typer.Context,
    source: SourceArgument,
    output: ShownOutputOption = None,
    n: Annotated[int, typer.Option("-n", "--candidates", min=1, help="How many candidates to sample.")] = 8,
    strategy: Annotated[
        str, typer.Option(callback=known_strategy, help=f"How to pick: {', '.join(get_args(Strategy))}.")
    ] = "process",
    temperature: Annotated[float, typer.Option(min=0.0, help="Sampling temperature; 0 needs -n 1.")] = 0.7,
    max_tokens: Annotated[int, typer.Option(min=1, help="Tokens of each candidate at most.")] = 256,
    seed: Annotated[int | None, typer.Option(min=0, help="Makes the candidates repeatable.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Problems at a time.")] = 4,
    url: UrlOption = None,
    config: ConfigOption = None,
    overwrite: OverwriteOption = False,
    retry_failed: RetryOption = False,
    as_json: SummaryOption = False,
) -> None:
    """Do what `solve` does for every row of IN.jsonl; run it again after an interruption to go on where it stopped.

    A row is {"problem"} or {"messages"}; "id" and other fields are carried along, and `result` is the answer of
    POST /best_of_n. Bad rows, --retry-failed and what is shown without -o are as of `surefoot score`.
    """
    sampling = {"n": n, "temperature": temperature, "max_tokens": max_tokens}
    if seed is not None:
        sampling["seed"] = seed
    FileRun(
        source,
        overwrite=overwrite,
        retry_failed=retry_failed,
        batch_size=1,
        concurrency=concurrency,
        shape=PROBLEM_ROW,
        connect=partial(connect, url, config, build_of(context), patience=FOR_FILES),
        prepare=partial(_prepare, sampling=sampling, ranking={"strategy": strategy}),
        **destination(output, as_json=as_json, show=partial(show_best_of_n_row, output_console(), strategy)),
    ).execute()


async def _prepare(
    client: AsyncSurefootClient, sampling: Mapping[str, object], ranking: Mapping[str, object]
) -> Prepared:
    catalog = await client.models()
    served = [[model.id, model.fingerprint] for model in catalog.models]
    generators = [generator.id for generator in catalog.generators]

    async def work(items: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        return [await _solved(client, item, sampling, ranking) for item in items]

    depends_on = {"verb": "best-of-n", "sampling": sampling, "ranking": ranking}
    return Prepared(work, {**depends_on, "models": served, "generators": generators})


async def _solved(
    client: AsyncSurefootClient,
    item: Mapping[str, Any],
    sampling: Mapping[str, object],
    ranking: Mapping[str, object],
) -> Outcome:
    try:
        found = await client.best_of_n(item.get("problem") or item["messages"], sampling=sampling, ranking=ranking)
    except ServerError as error:
        if not blames_problem(error):
            raise
        return Failure(error.code, error.message)
    return found.to_dict()


def blames_problem(error: ServerError) -> bool:
    """Whether a request was refused for its problem, so that other problems may do."""
    if isinstance(error, ItemError) or error.code == "body_too_large":
        return True
    return error.code == "invalid_request" and (error.param or "").startswith(("problem", "messages"))


def _refusal(item: Mapping[str, object]) -> str | None:
    if len(item) != 1:
        return "give either problem or messages"
    if "problem" in item:
        problem = item["problem"]
        return None if isinstance(problem, str) and problem.strip() else "problem must be a text"
    messages = item["messages"]
    if not isinstance(messages, list) or not messages or not all(map(is_message, messages)):
        return "messages must be a list of {role: system|user|assistant, content: text}"
    return None if messages[-1]["role"] == "user" else "messages must end with the user's turn, which is the problem"


PROBLEM_ROW = RowShape(("problem", "messages"), _refusal)

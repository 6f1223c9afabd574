"""`surefoot score`: score the solutions of a JSONL file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, cast, get_args

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
from surefoot.cli.row_show import show_score_row
from surefoot.cli.serve import ConfigOption
from surefoot.cli.service import FOR_FILES, build_of, connect
from surefoot.domain import Aggregation, Priority
from surefoot_client import AsyncSurefootClient, ItemFailure, ItemResult, ScoreItem, ServerError

_ITEM_PATH = re.compile(r"^items\[\d+\](\.|: )")


def _known_aggregation(value: str | None) -> str | None:
    if value is not None and value not in get_args(Aggregation):
        raise typer.BadParameter(f"choose from {', '.join(get_args(Aggregation))}")
    return value


def _known_priority(value: str) -> str:
    if value not in get_args(Priority):
        raise typer.BadParameter(f"choose from {', '.join(get_args(Priority))}")
    return value


def score(
    context: typer.Context,
    source: SourceArgument,
    output: ShownOutputOption = None,
    model: Annotated[str | None, typer.Option(help="A reward model by name; default: the first one.")] = None,
    aggregation: Annotated[
        str | None,
        typer.Option(
            callback=_known_aggregation, help=f"How step scores become one: {', '.join(get_args(Aggregation))}."
        ),
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Steps scored below it are errors.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows a request.")] = 32,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests at a time.")] = 4,
    priority: Annotated[
        str, typer.Option(callback=_known_priority, help="bulk lets interactive requests go first.")
    ] = "bulk",
    url: UrlOption = None,
    config: ConfigOption = None,
    overwrite: OverwriteOption = False,
    retry_failed: RetryOption = False,
    as_json: SummaryOption = False,
) -> None:
    """Score every row of IN.jsonl into OUT.jsonl; run it again after an interruption to go on where it stopped.

    Without -o each solution is shown as it is scored: in colour on a terminal, as plain lines elsewhere, with --json as
    a row.

    A row is {"problem", "steps"} or {"problem", "solution"} or {"messages"}; "id" and other fields are carried along.
    A bad row is reported in its place and stops nothing. What went wrong for a while only, --retry-failed does again;
    either way OUT.jsonl ends with one row for each line of IN.jsonl, in order.
    """
    options = {"model": model, "aggregation": aggregation, "threshold": threshold}
    FileRun(
        source,
        overwrite=overwrite,
        retry_failed=retry_failed,
        batch_size=batch_size,
        concurrency=concurrency,
        shape=SCORE_ROW,
        connect=partial(connect, url, config, build_of(context), samples=False, patience=FOR_FILES),
        prepare=partial(_prepare, options=options, priority=cast("Priority", priority)),
        **destination(output, as_json=as_json, show=partial(show_score_row, output_console())),
    ).execute()


async def _prepare(client: AsyncSurefootClient, options: Mapping[str, object], priority: Priority) -> Prepared:
    served = (await client.models()).models
    name = options["model"] or (served[0].id if served else None)
    fingerprints = [model.fingerprint for model in served if model.id == name]

    async def work(items: Sequence[Mapping[str, object]]) -> list[Outcome]:
        return await score_rows(client, items, {**options, "priority": priority})

    return Prepared(work, {"verb": "score", **options, "model": name, "fingerprints": fingerprints})


async def score_rows(
    client: AsyncSurefootClient, items: Sequence[Mapping[str, object]], options: Mapping[str, object]
) -> list[Outcome]:
    """One outcome per item. A request that is refused for one of its items is halved until that item stands alone."""
    try:
        response = await client.score(items, **options)  # type: ignore[arg-type]
    except ServerError as error:
        if not blames_items(error):
            raise
        if len(items) == 1:
            return [Failure(error.code, _ITEM_PATH.sub("", error.message))]
        middle = len(items) // 2
        return [
            *await score_rows(client, items[:middle], options),
            *await score_rows(client, items[middle:], options),
        ]
    return [_outcome(result) for result in response.results]


def blames_items(error: ServerError) -> bool:
    """Whether a request was refused for what its items are, or for how many: others of them may do."""
    if error.code in ("group_too_large", "body_too_large"):
        return True
    return error.code == "invalid_request" and (error.param or "").startswith("items")


def _outcome(result: ItemResult | ItemFailure) -> Outcome:
    if isinstance(result, ItemFailure):
        return Failure(result.error.code, result.error.message)
    # The row says where it belongs; the place within a request means nothing in a file.
    return {name: value for name, value in result.to_dict().items() if name not in ("index", "id")}


def _refusal(item: Mapping[str, object]) -> str | None:
    """What is wrong with the fields of an item, in words that hold nothing of them."""
    for name in ("problem", "solution"):
        if name in item and not isinstance(item[name], str):
            return f"{name} must be a text"
    steps = item.get("steps", [])
    if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
        return "steps must be a list of texts"
    messages = item.get("messages", [])
    if not isinstance(messages, list) or not all(is_message(message) for message in messages):
        return "messages must be a list of {role: system|user|assistant, content: text}"
    try:
        ScoreItem(**item)  # type: ignore[arg-type]
    except ValueError as cause:
        return str(cause)
    return None


def is_message(message: object) -> bool:
    """Whether it has the shape of a chat turn."""
    if not isinstance(message, dict) or set(message) != {"role", "content"}:
        return False
    return message["role"] in ("system", "user", "assistant") and isinstance(message["content"], str)


SCORE_ROW = RowShape(("problem", "steps", "solution", "messages"), _refusal)

"""`surefoot models`: what is configured or served, and preparing the embedded base."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from surefoot.cli.consoles import harmless, output_console, print_json, progress_console
from surefoot.cli.serve import ConfigOption
from surefoot.profiles import builtin_names, load_profile
from surefoot.settings import ModelSettings, load_settings
from surefoot.wiring.sources import checkpoint_directory

app = typer.Typer(help="List reward models and profiles; prepare the embedded base model.", invoke_without_command=True)
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def list_models(
    context: typer.Context,
    config: ConfigOption = None,
    url: Annotated[str | None, typer.Option(help="Ask a running server instead of the configuration.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the configured reward models, or with --url those that a server is serving."""
    if context.invoked_subcommand is not None:
        if config or url or as_json:
            raise typer.BadParameter(f"give options after {context.invoked_subcommand}, which has its own")
        return
    rows = _served(url) if url else _configured(config)
    if as_json:
        print_json(rows, indent=2)
        return
    table = Table("model", "kind", "profile", "scale", "checkpoint", "state", box=None, pad_edge=False)
    for row in rows:
        cells = (row[name] for name in ("model", "kind", "profile", "scale", "path", "notice"))
        table.add_row(*(Text("?" if cell is None else harmless(str(cell))) for cell in cells))
    console = output_console()
    console.print(table, soft_wrap=False)
    console.print(f"[dim]built-in profiles: {', '.join(builtin_names())}[/dim]")


@app.command("prepare")
def prepare(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Prepare the embedded base model in the cache; checks it, and repairs it where it is damaged."""
    settings = load_settings(config)
    directory = prepare_embedded(settings.cache)
    if as_json:
        print_json({"path": str(directory)})
    else:
        typer.echo(str(directory))


def prepare_embedded(cache: Path) -> Path:
    """Prepare the embedded base with a progress bar on standard error."""
    settings = load_settings(None, cache_dir=cache)
    columns = (TextColumn("preparing the embedded model"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=progress_console(), transient=True) as bar:
        task = bar.add_task("prepare", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return checkpoint_directory("embedded", settings, show)


def _configured(config: Path | None) -> list[dict[str, Any]]:
    rows = []
    for model in load_settings(config).models:
        if model.detects_profile:
            # Looking into the checkpoint takes seconds, or a download.
            rows.append(_undetected(model))
            continue
        profile = load_profile(model.profile)
        trained, notice = profile.standing(is_adapted=model.adapter is not None)
        rows.append(
            {
                "model": model.name,
                "kind": profile.kind,
                "profile": profile.name,
                "scale": profile.scale,
                "path": model.path,
                "adapter": model.adapter,
                "trained": trained,
                "notice": notice or "",
            }
        )
    return rows


def _undetected(model: ModelSettings) -> dict[str, Any]:
    unknown = dict.fromkeys(("kind", "scale", "trained"))
    return {"model": model.name, "profile": model.profile, "path": model.path, "notice": _DETECTED, **unknown}


_DETECTED = "the profile is detected when the model is loaded; `surefoot models inspect` says which"


def _served(url: str) -> list[dict[str, Any]]:
    from surefoot_client import SurefootClient

    with SurefootClient(url) as client:
        served: list[dict[str, Any]] = [dict(model.to_dict()) for model in client.models().models]
    return [{**row, "model": row["id"], "path": row["base_id"], "notice": row["notice"] or ""} for row in served]

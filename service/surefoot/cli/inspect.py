"""`surefoot models inspect`: what a checkpoint is, and which profile reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from surefoot.cli.consoles import output_console, print_json, progress_console
from surefoot.cli.models import JsonOption
from surefoot.inspection import Candidate, Check, Contents, Inspection, Status, configuration_of

_MARKS: Mapping[Status, str] = {"ok": "[green]✓[/green]", "warning": "[yellow]![/yellow]", "error": "[red]✗[/red]"}


def inspect(
    path: Annotated[Path, typer.Argument(help="A checkpoint directory, with config.json in it.", show_default=False)],
    profile: Annotated[
        str | None, typer.Option(help="Check this profile: a built-in one, or a path ending in .toml.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what the checkpoint at PATH is and which profile reads it, without a network and without loading weights.

    Where it could be read in several ways they are listed with how to choose; then give one with --profile, which
    checks its words, head and limits against the checkpoint and prints the configuration that serves it.

    Exit code 0: one profile reads it. 1: several could, or none can, or the given one cannot.
    2: there is no checkpoint that could be read.
    """
    from surefoot.wiring.detection import inspect_checkpoint

    with progress_console().status("reading the checkpoint"):
        found = inspect_checkpoint(path.expanduser(), profile)
    if as_json:
        print_json(found.to_dict(), indent=2)
    else:
        show_inspection(output_console(), found)
    raise typer.Exit(0 if found.fits else 1)


def show_inspection(console: Console, found: Inspection) -> None:
    """The checkpoint, its checks, the candidates, and the configuration to paste."""
    for line in _facts(found.contents):
        console.print(line, markup=False)
    console.print(_checks_table(found.checks), soft_wrap=False)
    console.print()
    for line in _conclusion(found):
        console.print(line, markup=False, style="bold")
    if found.profile is None and found.detection.candidates:
        console.print(_candidates_table(found.detection.candidates), soft_wrap=False)
        console.print(
            f"\nCheck one: surefoot models inspect {found.contents.path} --profile NAME", markup=False, soft_wrap=True
        )
    for entry in () if found.profile is not None else found.detection.ruled_out:
        console.print(f"not {entry.profile}: {entry.reasons_against[0]}", markup=False, style="dim")
    if found.fits:
        console.print(f"\n{configuration_of(found)}", markup=False, soft_wrap=True)


def _facts(contents: Contents) -> list[str]:
    classes = ", ".join(contents.architectures) or "no architecture named"
    size = (
        "weights not seen"
        if contents.num_parameters is None or contents.num_bytes is None
        else f"{_short_count(contents.num_parameters)} parameters, {_short_size(contents.num_bytes)}"
    )
    context = "no context limit named" if contents.max_positions is None else f"{contents.max_positions:,} positions"
    scaling = f" (rope {contents.rope_scaling})" if contents.rope_scaling else ""
    heads = ", ".join(head.describe() for head in contents.heads) or "none"
    return [
        str(contents.path),
        f"  {classes} ({contents.model_type or 'no model_type'}): {size}, {contents.stored_dtype or contents.dtype}",
        f"  hidden size {contents.hidden_size}, {context}{scaling}",
        f"  heads: {heads}",
    ]


def _short_count(count: int) -> str:
    return f"{count / 1e9:.1f} B" if count >= 10**9 else f"{count / 1e6:.1f} M"


def _short_size(num_bytes: int) -> str:
    return f"{num_bytes / 2**30:,.1f} GiB" if num_bytes >= 2**30 else f"{num_bytes / 2**20:.1f} MiB"


def _checks_table(checks: tuple[Check, ...]) -> Table:
    table = Table.grid(padding=(0, 2))
    for check in checks:
        fix = f"\n[dim]{escape(check.fix)}[/dim]" if check.fix and check.status != "ok" else ""
        table.add_row(_MARKS[check.status], check.name, escape(check.message) + fix)
    return table


def _conclusion(found: Inspection) -> list[str]:
    detection = found.detection
    if found.fits and detection.verdict == "one" and found.profile == detection.candidates[0].profile:
        return [f"{found.profile} reads it: {detection.seen}."]
    if found.profile is not None:
        said = f"{found.profile} {'reads it' if found.fits else 'does not read it as it is'}."
        return [said, *(_UNLIKE.format(entry.profile, detection.seen) for entry in _certain_others(found))]
    if detection.verdict == "several":
        return [f"It is {detection.seen}. Choose a profile.", f"What it does not show: {detection.question}."]
    return [f"No built-in profile reads it: {detection.seen}."]


_UNLIKE = "Yet it looks like one for {}: it has {}."


def _certain_others(found: Inspection) -> tuple[Candidate, ...]:
    """The built-in profile that the checkpoint shows, where another built-in one was given."""
    is_own = found.profile is not None and found.profile.endswith(".toml")
    if is_own or found.detection.verdict != "one":
        return ()
    return tuple(entry for entry in found.detection.candidates if entry.profile != found.profile)


def _candidates_table(candidates: tuple[Candidate, ...]) -> Table:
    table = Table("profile", "choose it for", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for candidate in candidates:
        against = "".join(f"\n[dim]but {escape(reason)}[/dim]" for reason in candidate.reasons_against)
        table.add_row(candidate.profile, escape(candidate.choose) + against)
    return table

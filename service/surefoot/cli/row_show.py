"""Rows of `surefoot score` and `surefoot best-of-n` as they come, for a person."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from surefoot.cli.consoles import one_line
from surefoot.cli.plain_lines import best_of_n_lines, failure_line, row_line
from surefoot.cli.show import print_lines, show_best_of_n, tell_score
from surefoot_client import BestOfN, ItemResult


def show_score_row(console: Console, row: dict[str, Any]) -> None:
    """A row of `surefoot score`: a scored solution, or why there is none."""
    if "error" in row:
        _tell_failure(console, row)
        return
    tell_score(console, row["line"], ItemResult.from_dict({**row["result"], "index": 0, "id": _id_of(row)}))


def show_best_of_n_row(console: Console, strategy: str, row: dict[str, Any]) -> None:
    """A row of `surefoot best-of-n`: ranked candidates, or why there are none. Which problem it is the line says."""
    if "error" in row:
        _tell_failure(console, row)
        return
    found = BestOfN.from_dict(row["result"])
    if not console.is_terminal:
        print_lines(console, [row_line(row["line"], _id_of(row)), *best_of_n_lines(None, found, ())])
        return
    shown = f"of line {row['line']}" + ("" if _id_of(row) is None else f" ({_id_of(row)})")
    show_best_of_n(console, shown, found, (), strategy)
    console.rule(style="dim")


def _tell_failure(console: Console, row: dict[str, Any]) -> None:
    code, message = row["error"]["code"], row["error"]["message"]
    if console.is_terminal:
        said = f"  {one_line(code)}: {one_line(message)}"
        console.print(Text.assemble((f"line {row['line']}", "bold"), (said, "red")), soft_wrap=False)
    else:
        print_lines(console, [failure_line(row["line"], code, message)])


def _id_of(row: dict[str, Any]) -> str | None:
    return None if row.get("id") is None else str(row["id"])

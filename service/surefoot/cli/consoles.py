"""What every verb writes with: colours and bars on a terminal, one plain line a fact anywhere else, JSON for scripts.

Whether it is a terminal, and whether colour is wanted (NO_COLOR, FORCE_COLOR, TERM), is rich's to find out.
"""

from __future__ import annotations

import json
import re
from typing import Any

import typer
from rich.console import Console

_UNWRAPPED = 100_000
"""Columns where there is no terminal, so that no table is wrapped to a width that nobody has chosen."""

# Control characters but line feed and tab, and what turns the direction of writing or separates lines unseen.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def output_console() -> Console:
    """Standard output, for results."""
    return _console(stderr=False)


def progress_console() -> Console:
    """Standard error, for how it goes: bars, notices and summaries."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, emoji=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _UNWRAPPED
    return console


def harmless(text: str) -> str:
    """Text that somebody else wrote, with what would steer a terminal or reorder a line spelt out: ESC as `\\x1b`."""
    return _CONTROLS.sub(_spelt, text.replace("\r\n", "\n"))


def one_line(text: str, limit: int | None = None) -> str:
    """`harmless`, with all white space as single spaces; cut behind `limit` characters, with a mark that it was."""
    line = " ".join(harmless(text).split())
    return line if limit is None or len(line) <= limit else line[: limit - 1] + "…"


def print_json(value: Any, *, indent: int | None = None) -> None:
    """The one JSON document of standard output; letters as they are, control characters as JSON spells them."""
    typer.echo(_CONTROLS.sub(_json_spelt, json.dumps(value, ensure_ascii=False, indent=indent, default=str)))


def _spelt(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _json_spelt(found: re.Match[str]) -> str:
    # json.dumps leaves only those from 0x7f on, and only within strings.
    return f"\\u{ord(found.group()):04x}"

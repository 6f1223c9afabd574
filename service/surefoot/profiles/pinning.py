"""Golden values put into the text of a profile, whose comments stay where that can be shown to be right."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

import tomli_w

from surefoot.profiles.schema import Golden


def pinned_text(source: str, golden: Sequence[Golden]) -> str:
    """The profile `source` with these golden values in place of those it has.

    Its own lines stay as they are, comments included, unless the golden values it has are written in another way than
    as `[[golden]]` tables: then the whole text is written anew.
    """
    tables = {"golden": [entry.model_dump(mode="json") for entry in golden]}
    wanted: dict[str, Any] = {**tomllib.loads(source), **tables}
    kept = f"{_without_golden_tables(source).rstrip()}\n\n{tomli_w.dumps(tables)}"
    return kept if _reads_as(kept, wanted) else tomli_w.dumps(wanted)


def keeps_comments(source: str, text: str) -> bool:
    """Whether `text`, made of `source` by `pinned_text`, begins with its own lines."""
    return text.startswith(_without_golden_tables(source).rstrip())


def _without_golden_tables(source: str) -> str:
    """The text without what stands between a line `[[golden]]` and the next header, or the end."""
    lines: list[str] = []
    in_golden = False
    for line in source.splitlines(keepends=True):
        if line.startswith("["):
            in_golden = line.startswith("[[golden]]")
        if not in_golden:
            lines.append(line)
    return "".join(lines)


def _reads_as(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False

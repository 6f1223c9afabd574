"""`surefoot settings`: every setting, its value here, and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, get_args

import typer
from rich.table import Table
from rich.text import Text

from surefoot.cli.consoles import harmless, output_console, print_json
from surefoot.cli.models import JsonOption
from surefoot.cli.serve import ConfigOption
from surefoot.settings import Section, Settings, load_settings

_REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class SettingDoc:
    """One setting: its dotted name, its value, its default and its meaning."""

    name: str
    value: Any
    default: Any
    meaning: str


def settings(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table of docs/settings.md, with defaults.")
    ] = False,
) -> None:
    """Show every setting with its value here: from SUREFOOT_* variables, the configuration file, or its default."""
    found = describe(load_settings(config))
    if as_json:
        print_json({entry.name: entry.value for entry in found}, indent=2)
    elif as_markdown:
        typer.echo(markdown_table(found))
    else:
        table = Table("setting", "value", "meaning", box=None, pad_edge=False)
        for entry in found:
            # As texts: names such as [[models]] are no markup.
            table.add_row(Text(entry.name), Text(harmless(_short(entry.value))), Text(entry.meaning))
        output_console().print(table, soft_wrap=False)


def describe(current: Settings) -> list[SettingDoc]:
    """Every setting of `current`, sections flattened to dotted names, in the order of their classes."""
    return list(_describe(current, Settings.model_construct(), ""))


def _describe(current: Settings | Section, default: Settings | Section, prefix: str) -> Iterator[SettingDoc]:
    for name, field in type(default).model_fields.items():
        value, usual = getattr(current, name), getattr(default, name)
        if isinstance(usual, Section):
            yield from _describe(value, usual, f"{prefix}{name}.")
        else:
            meaning = " ".join((field.description or "").split())
            yield SettingDoc(prefix + name, _plain(value), _plain(usual), meaning)
            yield from _describe_entries(f"{prefix}{name}[].", field.annotation, value)


def _describe_entries(prefix: str, annotation: Any, entries: Any) -> Iterator[SettingDoc]:
    """The settings of each entry of a list of tables; the value is one per entry."""
    kind = next(iter(get_args(annotation)), None)
    if not (isinstance(kind, type) and issubclass(kind, Section)):
        return
    for name, field in kind.model_fields.items():
        usual = _REQUIRED if field.is_required() else field.get_default(call_default_factory=True)
        meaning = " ".join((field.description or "").split())
        values = [getattr(entry, name) for entry in entries]
        yield SettingDoc(prefix + name, [_plain(value) for value in values], _plain(usual), meaning)
        if isinstance(usual, list):
            within = [entry for value in values for entry in value]
            yield from _describe_entries(f"{prefix}{name}[].", field.annotation, within)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value.model_dump(mode="json") if isinstance(value, Section) else value


def markdown_table(found: list[SettingDoc]) -> str:
    """Settings and their defaults as a Markdown table."""
    rows = [f"| `{entry.name}` | `{_short(entry.default)}` | {entry.meaning} |" for entry in found]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows])


def _short(value: Any) -> str:
    if isinstance(value, list):
        names = (str(entry.get("name", "…")) if isinstance(entry, dict) else str(entry) for entry in value)
        return ", ".join(names) or "none"
    return "not set" if value is None else str(value)

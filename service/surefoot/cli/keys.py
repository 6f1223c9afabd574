"""`surefoot keys`: the API keys of a service, made, listed and revoked in the file that it reads them from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from surefoot.access import (
    SCOPES,
    KeyRecord,
    Scope,
    add_key,
    check_name,
    new_key,
    new_record,
    read_keys,
    revoke_keys,
    utc_today,
)
from surefoot.cli.consoles import output_console, print_json
from surefoot.cli.models import JsonOption
from surefoot.cli.serve import ConfigOption
from surefoot.settings import load_settings

app = typer.Typer(
    help="Make, list and revoke the API keys that a service asks its callers for.\n\n"
    "They are kept, hashed, in the file that the setting `auth.keys_file` names, or --keys-file. A running service "
    "reads it again within a second of a change.",
    no_args_is_help=True,
)

KeysFileOption = Annotated[
    Path | None,
    typer.Option("--keys-file", metavar="FILE", help="The file with the keys; default: the setting auth.keys_file."),
]


def _known_scopes(values: list[str]) -> list[str]:
    if not set(values) <= set(SCOPES):
        raise typer.BadParameter(f"choose from {', '.join(SCOPES)}")
    return values


def _proper_name(value: str) -> str:
    try:
        check_name(value)
    except ValueError as cause:
        raise typer.BadParameter(str(cause).removeprefix("name: "), param_hint="NAME") from None
    return value


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who will use it.", callback=_proper_name)],
    scope: Annotated[
        list[str],
        typer.Option(
            callback=_known_scopes,
            help="What it may do. score: /score, /rerank, /select, dialects. sample: /sample; /best_of_n and chat "
            "completions need both. admin: /admin. Repeatable.",
        ),
    ],
    expires: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Its last day, in UTC; default: it stays good."),
    ] = None,
    keys_file: KeysFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it: this once, since only its hash is kept.

    `surefoot keys new trainer --scope score --scope sample --keys-file keys.json`

    The key alone is on standard output. Clients send it as `authorization: Bearer KEY`; the Python client and the verbs
    with --url take it from `SUREFOOT_API_KEY`.

    To rotate a key make another one under the same name, hand it out, and revoke the old one by its id: until then both
    are good, and count as one caller.
    """
    today = utc_today()
    last_day = None if expires is None else expires.replace(tzinfo=UTC).date()
    if last_day is not None and last_day < today:
        raise typer.BadParameter("that day is over", param_hint="--expires")
    path = _keys_file(keys_file, config)
    key = new_key()
    wanted: list[Scope] = [known for known in SCOPES if known in scope]
    record = new_record(key, name, wanted, last_day, today)
    add_key(path, record)
    if as_json:
        print_json({"key": key, **_view(record), "keys_file": str(path)}, indent=2)
        return
    typer.echo(key)
    typer.echo(f"key {record.id} of {name} is in {path}; it is not shown again", err=True)


@app.command("list")
def list_keys(keys_file: KeysFileOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the keys of the file: who has them, what they may do, and until when. The keys themselves are not kept."""
    rows = [_view(record) for record in read_keys(_keys_file(keys_file, config)).records]
    if as_json:
        print_json(rows, indent=2)
        return
    table = Table("id", "name", "scopes", "created", "expires", "state", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            row["id"], row["name"], ", ".join(row["scopes"]), row["created"], row["expires"] or "never", row["state"]
        )
    output_console().print(table, soft_wrap=False)


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(metavar="NAME|ID", help="All keys of that name, or the one with that id.")],
    keys_file: KeysFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take keys out of the file: a running service refuses them within a second."""
    path = _keys_file(keys_file, config)
    revoked = revoke_keys(path, key)
    if not revoked:
        raise typer.BadParameter(
            f"{path} has no key of that name or id; see `surefoot keys list`", param_hint="NAME|ID"
        )
    if as_json:
        print_json({"revoked": [_view(record) for record in revoked]}, indent=2)
        return
    for record in revoked:
        typer.echo(f"revoked key {record.id} of {record.name}")


def _keys_file(given: Path | None, config: Path | None) -> Path:
    path = given or load_settings(config).auth.keys_file
    if path is None:
        raise typer.BadParameter("give one, or set auth.keys_file", param_hint="--keys-file")
    return path.expanduser()


def _view(record: KeyRecord) -> dict[str, Any]:
    """A record as JSON, without its hash."""
    return {
        "id": record.id,
        "name": record.name,
        "scopes": [scope for scope in SCOPES if scope in record.scopes],
        "created": None if record.created is None else record.created.isoformat(),
        "expires": None if record.expires is None else record.expires.isoformat(),
        "state": "expired" if record.has_expired(utc_today()) else "good",
    }

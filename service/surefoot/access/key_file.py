"""The file that keys are kept in: JSON, `{"keys": [{"id", "name", "sha256", "scopes", "created"?, "expires"?}]}`.

It is only ever replaced whole, so that whoever reads it meanwhile sees the old keys or the new ones.
Every function here raises `KeysFileInvalid`, which says where the fault is and never quotes the file.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from surefoot.access.keys import KeyRecord
from surefoot.errors import KeysFileInvalid

FileState = tuple[int, ...]
"""Differs once the file has been replaced, written to, or had its mode changed."""

_NEEDED = {"id", "name", "sha256", "scopes"}
_KNOWN = {*_NEEDED, "created", "expires"}
_MODE = 0o600
_EXPOSED = 0o026
"""Reading by others, writing by the group or others: whoever can write a record has a key."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A keys file as it was read; `is_exposed` where its mode lets others read it, or change it."""

    records: tuple[KeyRecord, ...]
    state: FileState
    is_exposed: bool


def read_keys(path: Path) -> KeyFile:
    """The file's records and the state that it was read in."""
    try:
        with path.open("rb") as stream:
            # Taken before reading: what is written after it makes another state.
            status = os.fstat(stream.fileno())
            content = stream.read()
    except OSError as cause:
        raise KeysFileInvalid(
            f"the keys file {path} cannot be read: {cause.strerror}; `surefoot keys new` makes one", param="keys_file"
        ) from cause
    return KeyFile(parse_keys(content), state_of(status), bool(status.st_mode & _EXPOSED))


def state_of(status: os.stat_result) -> FileState:
    """What tells one state of a file from another."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def parse_keys(content: bytes) -> tuple[KeyRecord, ...]:
    """The records in a file's content, in order. No two may have the same id or the same hash."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        # The cause holds the whole text.
        raise _invalid("it is not JSON") from None
    if not isinstance(document, dict) or set(document) != {"keys"} or not isinstance(document["keys"], list):
        raise _invalid('want {"keys": […]} and nothing beside it')
    records = tuple(_record(entry, f"keys[{index}]") for index, entry in enumerate(document["keys"]))
    for name in ("id", "sha256"):
        if len({getattr(record, name) for record in records}) < len(records):
            raise _invalid(f"two keys have the same {name}")
    return records


def add_key(path: Path, record: KeyRecord) -> None:
    """Put a record behind the others; makes the file where there is none."""
    with _rewriting(path) as records:
        records.append(record)


def revoke_keys(path: Path, name_or_id: str) -> tuple[KeyRecord, ...]:
    """Take out the keys of that name, or the one with that id; gives what was taken out, nothing if there is none."""
    read_keys(path)
    with _rewriting(path) as records:
        revoked = tuple(record for record in records if name_or_id in (record.name, record.id))
        records[:] = [record for record in records if record not in revoked]
    return revoked


def _record(entry: Any, where: str) -> KeyRecord:
    if not isinstance(entry, dict) or not set(entry) >= _NEEDED or not set(entry) <= _KNOWN:
        raise _invalid(f"{where}: want the fields {', '.join(sorted(_NEEDED))}, and created or expires at most")
    scopes = entry["scopes"]
    texts = [entry["id"], entry["name"], entry["sha256"], *(scopes if isinstance(scopes, list) else [None])]
    if not all(isinstance(text, str) for text in texts):
        raise _invalid(f"{where}: want texts, and a list of texts for scopes")
    try:
        bare = KeyRecord(entry["id"], entry["name"], entry["sha256"], frozenset(scopes))
    except ValueError as cause:
        raise _invalid(f"{where}.{cause}") from None
    return replace(bare, created=_day(entry, "created", where), expires=_day(entry, "expires", where))


def _day(entry: dict[str, Any], name: str, where: str) -> date | None:
    if entry.get(name) is None:
        return None
    try:
        return date.fromisoformat(entry[name])
    except (TypeError, ValueError):
        raise _invalid(f"{where}.{name}: want a day like 2030-01-31") from None


def _invalid(said: str) -> KeysFileInvalid:
    return KeysFileInvalid(f"the keys file: {said}", param="keys_file")


@contextmanager
def _rewriting(path: Path) -> Iterator[list[KeyRecord]]:
    """The records of the file, to be changed; written back as a whole, one process at a time."""
    # Replacing a link would part it from the file that it stands for.
    target = path.resolve()
    try:
        with _locked(target.parent):
            before = read_keys(target).records if target.exists() else ()
            records = list(before)
            yield records
            if tuple(records) != before:
                _replace(target, records)
    except OSError as cause:
        raise KeysFileInvalid(f"the keys file {path} cannot be written: {cause.strerror}", param="keys_file") from cause


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(target: Path, records: Sequence[KeyRecord]) -> None:
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    content = json.dumps({"keys": [_entry(record) for record in records]}, indent=2) + "\n"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    try:
        with os.fdopen(handle, "wb") as stream:
            # The service may run as another user than who makes its keys.
            with suppress(OSError):
                owner = target.stat()
                os.fchown(stream.fileno(), owner.st_uid, owner.st_gid)
            stream.write(content.encode())
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _entry(record: KeyRecord) -> dict[str, Any]:
    days = {name: day.isoformat() for name in ("created", "expires") if (day := getattr(record, name)) is not None}
    return {
        "id": record.id,
        "name": record.name,
        "sha256": record.sha256,
        "scopes": sorted(record.scopes),
        **days,
    }

"""Directories of derived files in a cache: described by a manifest, verified before use, replaced as a whole.

Readers need no lock and no write access: a directory appears under its name only when it is complete. Writers of one
cache take turns through a lock on a file, which also makes every partial directory they find a leftover.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from surefoot.errors import SettingsInvalid

Verify = Literal["quick", "full"]
"""`full` hashes every file. `quick` trusts content that was hashed once and has kept its size and modification time
since: milliseconds instead of a second for 270 MB, but blind to a disk that changes bits by itself."""

MANIFEST = "manifest.json"
STAMP = ".verified.json"
LOCK = ".lock"
PARTIAL_PREFIX = ".partial-"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a directory was made from: the source file's SHA-256 and the version of the code that converted it."""

    source_sha256: str
    converter_version: str


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_fault(directory: Path, origin: Origin, file_names: frozenset[str], verify: Verify) -> str | None:
    """Why `directory` cannot be used, in words for a log; None when it holds `file_names` as its manifest tells."""
    try:
        manifest = json.loads((directory / MANIFEST).read_bytes())
        records: Mapping[str, Any] = manifest["files"]
        recorded = {name: (int(records[name]["size"]), str(records[name]["sha256"])) for name in file_names}
        if manifest["origin"] != asdict(origin):
            return f"{MANIFEST} names another source or converter"
        sizes = {name: (directory / name).stat().st_size for name in file_names}
    except OSError as cause:
        return f"{Path(cause.filename or directory).name} cannot be read ({cause.strerror})"
    except (ValueError, KeyError, TypeError):
        return f"{MANIFEST} is damaged"
    for name, (size, _) in sorted(recorded.items()):
        if sizes[name] != size:
            return f"{name} has {sizes[name]} bytes, expected {size}"
    if verify == "quick" and _stamp_is_current(directory, file_names):
        return None
    return _find_changed_content(directory, {name: sha256 for name, (_, sha256) in recorded.items()})


def _find_changed_content(directory: Path, recorded: Mapping[str, str]) -> str | None:
    try:
        for name, sha256 in sorted(recorded.items()):
            if sha256_of(directory / name) != sha256:
                return f"{name} has another content than its manifest tells"
    except OSError as cause:
        return f"a file cannot be read ({cause.strerror})"
    with suppress(OSError):  # a read-only cache is verified in full every time
        _write_stamp(directory, frozenset(recorded))
    return None


def _file_states(directory: Path, file_names: frozenset[str]) -> dict[str, list[int]]:
    """Size in bytes and modification time in nanoseconds of each file and of the manifest."""
    states = {name: (directory / name).stat() for name in sorted(file_names | {MANIFEST})}
    return {name: [state.st_size, state.st_mtime_ns] for name, state in states.items()}


def _write_stamp(directory: Path, file_names: frozenset[str]) -> None:
    (directory / STAMP).write_text(json.dumps(_file_states(directory, file_names)))


def _stamp_is_current(directory: Path, file_names: frozenset[str]) -> bool:
    try:
        return bool(json.loads((directory / STAMP).read_bytes()) == _file_states(directory, file_names))
    except (OSError, ValueError):
        return False


@contextmanager
def exclusive_writer(directory: Path) -> Iterator[None]:
    """Hold the lock of the cache `directory`, waiting for other processes and threads; the kernel frees it on exit."""
    with (directory / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.info("waiting for another process that writes to %s", directory)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def write_errors_named(cache_dir: Path) -> Iterator[None]:
    """Turn an `OSError` of the block into `SettingsInvalid` that says what to change about `cache_dir`."""
    try:
        yield
    except OSError as cause:
        if cause.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise SettingsInvalid(f"the disk filled up while writing to {cache_dir}", param="cache_dir") from cause
        raise SettingsInvalid(
            f"the cache directory {cache_dir} cannot be written ({cause.strerror}); "
            "point the setting cache_dir or the variable XDG_CACHE_HOME to a writable directory",
            param="cache_dir",
        ) from cause


def check_free_space(cache_dir: Path, needed: int) -> None:
    """Raises `SettingsInvalid` unless `needed` bytes are free where `cache_dir` lies."""
    free = shutil.disk_usage(cache_dir).free
    if free < needed:
        raise SettingsInvalid(
            f"the cache directory {cache_dir} needs {needed} bytes, its disk has {free} free; make room or point the "
            "setting cache_dir or the variable XDG_CACHE_HOME to another disk",
            param="cache_dir",
        )


def remove_leftovers(directory: Path) -> None:
    """Delete the partial directories of writers that were killed; the caller holds the lock."""
    for leftover in directory.glob(f"{PARTIAL_PREFIX}*"):
        shutil.rmtree(leftover)


def write_directory(target: Path, origin: Origin, fill: Callable[[Path], None]) -> None:
    """Replace `target` by a directory that `fill` writes flat files into; the caller holds the lock and has removed
    leftovers.

    Whatever goes wrong before the end leaves `target` as it was and nothing beside it.
    """
    partial = target.with_name(f"{PARTIAL_PREFIX}{target.name}")
    partial.mkdir()
    try:
        fill(partial)
        _write_manifest(partial, origin)
        for path in [*partial.iterdir(), partial]:
            _flush_to_disk(path)
        _remove(target)
        partial.rename(target)
        _flush_to_disk(target.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_manifest(directory: Path, origin: Origin) -> None:
    files = {
        path.name: {"sha256": sha256_of(path), "size": path.stat().st_size} for path in sorted(directory.iterdir())
    }
    (directory / MANIFEST).write_text(json.dumps({"origin": asdict(origin), "files": files}, indent=2) + "\n")
    _write_stamp(directory, frozenset(files))


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

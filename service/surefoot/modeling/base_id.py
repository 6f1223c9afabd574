"""`base_id`: the name of a checkpoint's weights and tokenizer. Hashed once, then remembered by size and time."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from surefoot.inspection.checkpoint_files import Permission
from surefoot.modeling.weights import weight_files

log = logging.getLogger(__name__)

_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "chat_template.jinja",
)
_WORTH_REMEMBERING_BYTES = 64 * 2**20
"""Less is read again within a tenth of a second."""
_WORTH_A_LINE_BYTES = 4 * 2**30
"""About ten seconds of reading from a fast disk."""

_ID = re.compile("[0-9a-f]{16}")
Stamp = list[list[str | int]]
"""Name, size in bytes and time of change in ns, of every file that is hashed."""


def base_id(path: Path, *, cache: Path | None = None, allow: Collection[Permission] = ()) -> str:
    """Hash of the weights and the tokenizer in a checkpoint directory, 16 hex digits.

    With a `cache` directory that of a large checkpoint is computed once: there it is kept beside size and time of
    change of each file, which a file that is written anew changes. Raises what `weight_files` raises.
    """
    candidates = [*weight_files(path, allow), *(path / name for name in _TOKENIZER_FILES)]
    files = [file for file in candidates if file.is_file()]
    if cache is None or _size(files) < _WORTH_REMEMBERING_BYTES:
        return _hash(files)
    memory = cache / "base_ids" / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]}.json"
    stamp = _stamp(files)
    remembered = _remembered(memory, stamp)
    if remembered is not None:
        return remembered
    found = _hash(files)
    # What was written to meanwhile is not what was hashed.
    if _stamp(files) == stamp:
        _remember(memory, stamp, found)
    return found


def tokenizer_id(path: Path) -> str:
    """Hash of the tokenizer in a directory, which need hold no weights; 64 hex digits."""
    return _digest([file for file in (path / name for name in _TOKENIZER_FILES) if file.is_file()])


def _hash(files: Sequence[Path]) -> str:
    size = _size(files)
    if size >= _WORTH_A_LINE_BYTES:
        log.info("hashing %.1f GiB of %s, once", size / 2**30, files[0].parent)
    started = time.perf_counter()
    found = _digest(files)
    if size >= _WORTH_A_LINE_BYTES:
        log.info("hashed %s in %.0f s", files[0].parent, time.perf_counter() - started)
    return found[:16]


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _size(files: Sequence[Path]) -> int:
    return sum(file.stat().st_size for file in files)


def _stamp(files: Sequence[Path]) -> Stamp:
    return [[file.name, (status := file.stat()).st_size, status.st_mtime_ns] for file in files]


def _remembered(memory: Path, stamp: Stamp) -> str | None:
    """What is remembered for just these files; an entry that cannot be read is none."""
    try:
        entry = json.loads(memory.read_text(encoding="utf-8"))
        found = entry["base_id"] if entry["files"] == stamp else ""
        return found if _ID.fullmatch(found) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(memory: Path, stamp: Stamp, found: str) -> None:
    """One file a checkpoint, put in its place whole: processes that start together write the same."""
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=memory.parent, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump({"files": stamp, "base_id": found}, stream)
            Path(name).replace(memory)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as cause:
        log.info("the hash of a checkpoint is not remembered: %s", cause)

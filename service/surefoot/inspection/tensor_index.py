"""Names, shapes and types of a checkpoint's tensors, from the headers of its safetensors files.

A safetensors file begins with 8 bytes, the header's length in little-endian order, and the header as JSON. Nothing
behind it is read, so that a checkpoint of any size takes milliseconds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surefoot.errors import CheckpointDamaged
from surefoot.inspection.checkpoint_files import SAFETENSORS, listed_files

_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 100_000_000
"""The format's own bound."""

_DTYPES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16", "F64": "float64"}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: `dtype` as torch spells it, or as the file does where it is none of the usual ones."""

    dtype: str
    shape: tuple[int, ...]
    num_bytes: int

    @property
    def num_parameters(self) -> int:
        return math.prod(self.shape)


def read_index(directory: Path) -> dict[str, TensorInfo] | None:
    """All tensors of a checkpoint by name; `None` where it has no safetensors.

    Raises `CheckpointDamaged` for what `listed_files` finds, and for a file that is cut short or has no header.
    """
    files = listed_files(directory, *SAFETENSORS)
    return {name: info for file in files for name, info in read_header(file).items()} if files else None


def read_header(file: Path) -> dict[str, TensorInfo]:
    """The tensors of one safetensors file. Raises `CheckpointDamaged`."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
        if size < _LENGTH_BYTES or length > min(_MAX_HEADER_BYTES, size - _LENGTH_BYTES):
            raise _damaged(file, "it has no whole header")
        text = stream.read(length)
    try:
        header: Mapping[str, Any] = json.loads(text)
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        tensors = {name: _tensor(entry) for name, entry in entries.items()}
        end = max((int(entry["data_offsets"][1]) for entry in entries.values()), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as cause:
        raise _damaged(file, "its header is not the format's") from cause
    if size < _LENGTH_BYTES + length + end:
        raise _damaged(file, f"it has {size:,} bytes, its header speaks of {_LENGTH_BYTES + length + end:,}")
    return tensors


def _tensor(entry: Mapping[str, Any]) -> TensorInfo:
    start, end = entry["data_offsets"]
    dtype = str(entry["dtype"])
    return TensorInfo(_DTYPES.get(dtype, dtype), tuple(int(size) for size in entry["shape"]), int(end) - int(start))


def _damaged(file: Path, why: str) -> CheckpointDamaged:
    return CheckpointDamaged(f"{file} is cut short or damaged: {why}; copy it again", param="path")

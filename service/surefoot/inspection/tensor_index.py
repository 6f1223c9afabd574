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

INDEX = "model.safetensors.index.json"
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


def safetensors_files(directory: Path) -> list[Path]:
    """The files with the model's weights, those of an adapter apart; none where it has no safetensors.

    Raises `CheckpointDamaged` where the index cannot be read, or lists a file that is missing or elsewhere.
    """
    index = directory / INDEX
    if not index.is_file():
        return sorted(file for file in directory.glob("*.safetensors") if file.name != "adapter_model.safetensors")
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise CheckpointDamaged(f"{index} cannot be read ({cause!r}); copy it again", param="path") from cause
    if any(Path(name).name != name for name in names):
        raise CheckpointDamaged(f"{index} lists files outside its directory; copy it again", param="path")
    missing = [name for name in names if not (directory / name).is_file()]
    if missing:
        raise CheckpointDamaged(
            f"{len(missing)} of {len(names)} files that {INDEX} lists are missing from {directory}, among them "
            f"{missing[0]}; copy them",
            param="path",
        )
    return [directory / name for name in names]


def read_index(directory: Path) -> dict[str, TensorInfo] | None:
    """All tensors of a checkpoint by name; `None` where it has no safetensors.

    Raises `CheckpointDamaged` for what `safetensors_files` finds, and for a file that is cut short or has no header.
    """
    files = safetensors_files(directory)
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

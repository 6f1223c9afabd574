"""A checkpoint directory as files: what is listed, what is there, and what needs somebody's permission."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from surefoot.errors import CheckpointDamaged, CheckpointMissing

Permission = Literal["pickle_weights", "remote_code"]
"""What a model's settings must name before it is done."""

SAFETENSORS = ("model.safetensors.index.json", "*.safetensors")
PICKLES = ("pytorch_model.bin.index.json", "pytorch_model*.bin")
_ADAPTER = "adapter_model.safetensors"


def listed_files(directory: Path, index: str, pattern: str) -> list[Path]:
    """The files that a shard index lists, or without one those of that pattern; an adapter's apart.

    Raises `CheckpointDamaged` where the index cannot be read, or lists a file that is missing or elsewhere.
    """
    if not (directory / index).is_file():
        return sorted(file for file in directory.glob(pattern) if file.name != _ADAPTER)
    names = _listed_names(directory / index)
    missing = [name for name in names if not (directory / name).is_file()]
    if missing:
        raise CheckpointDamaged(
            f"{missing[0]} is listed in {index} but missing from {directory} ({len(missing)} of {len(names)} files): "
            "copy it there",
            param="path",
        )
    return [directory / name for name in names]


def _listed_names(index: Path) -> list[str]:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise CheckpointDamaged(f"{index} cannot be read ({cause!r}); copy it again", param="path") from cause
    if any(Path(name).name != name for name in names):
        raise CheckpointDamaged(f"{index} lists files outside its directory; copy it again", param="path")
    return names


def read_config_json(directory: Path) -> dict[str, Any]:
    """config.json. Raises `CheckpointMissing` or `CheckpointDamaged`."""
    found = read_json_object(directory / "config.json")
    if found is None:
        raise CheckpointMissing(f"{directory} has no config.json: it is not a Hugging Face checkpoint", param="path")
    return found


def read_json_object(file: Path) -> dict[str, Any] | None:
    """A JSON object, `None` where there is no such file. Raises `CheckpointDamaged`."""
    if not file.is_file():
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as cause:
        raise CheckpointDamaged(f"{file} cannot be read ({cause}); copy it again", param="path") from cause
    if not isinstance(found, dict):
        raise CheckpointDamaged(f"{file} holds no JSON object; copy it again", param="path")
    return found

"""A checkpoint cut down to its first layers: the embedding, k decoder layers, the final norm and the output layer."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from surefoot.errors import CheckpointDamaged
from surefoot.inspection.checkpoint_files import read_config_json
from surefoot.modeling.weights import stored_tensors, weight_files

_LAYER = re.compile(r"(?:^|\.)layers\.(?P<place>[0-9]+)\.")
_PER_LAYER = ("layer_types", "no_rope_layers", "mlp_layer_types")
"""Entries of configurations that hold one value a layer."""


def num_layers(path: Path) -> int:
    """How many decoder layers a checkpoint has. Raises `CheckpointDamaged`."""
    found = read_config_json(path).get("num_hidden_layers")
    if not isinstance(found, int):
        raise CheckpointDamaged(f"{path / 'config.json'} does not say num_hidden_layers", param="path")
    return found


def write_first_layers(source: Path, target: Path, count: int) -> None:
    """Write into the directory `target`, which is made, the first `count` layers of the checkpoint in `source`.

    Raises `CheckpointDamaged` for a source with fewer, or whose layers go by another name, and `OSError`.
    """
    if not 1 <= count <= num_layers(source):
        raise CheckpointDamaged(
            f"{source} has {num_layers(source)} layers, so that {count} cannot be taken", param="path"
        )
    kept = {name: tensor for name, tensor in stored_tensors(source) if _place_of(name) < count}
    if not any(_place_of(name) >= 0 for name in kept):
        raise CheckpointDamaged(f"{source} keeps its layers under a name that is not known here", param="path")
    target.mkdir(parents=True)
    save_file(kept, target / "model.safetensors", {"format": "pt"})
    config: dict[str, Any] = {**read_config_json(source), "num_hidden_layers": count}
    config |= {name: config[name][:count] for name in _PER_LAYER if isinstance(config.get(name), list)}
    (target / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    copy_tokenizer(source, target)


def copy_tokenizer(source: Path, target: Path) -> None:
    """Everything of a checkpoint but its weights, its configuration and its card."""
    left_out = {file.name for file in weight_files(source)} | {"config.json", "README.md", "manifest.json"}
    for path in source.iterdir():
        if path.is_file() and path.name not in left_out and not path.name.endswith(".index.json"):
            shutil.copyfile(path, target / path.name)


def _place_of(name: str) -> int:
    """Which layer a tensor belongs to; -1 for one of none."""
    found = _LAYER.search(name)
    return int(found["place"]) if found else -1

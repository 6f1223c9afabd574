"""A checkpoint of another one's weights and a head of its own, without a copy of the weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from surefoot.modeling.weights import weight_files

HEAD = "head.safetensors"
INDEX = "model.safetensors.index.json"


def write_headed(base: Path, directory: Path, head: Mapping[str, torch.Tensor]) -> None:
    """Write a checkpoint whose trunk is that of `base`, by links to its files, and whose further tensors are `head`.

    The base must stay where it is. Raises what `weight_files` raises, and `OSError`.
    """
    files = weight_files(base)
    directory.mkdir()
    names: dict[str, str] = {}
    for file in files:
        with safe_open(file, framework="pt") as opened:
            names.update(dict.fromkeys(opened.keys(), file.name))
    others = [
        path for path in base.iterdir() if path.is_file() and path.suffix in (".json", ".jinja", ".model", ".txt")
    ]
    for path in (*files, *others):
        if path.name != INDEX:
            # Resolved: what a link leads to is looked for from where the link is, which may be renamed as a whole.
            (directory / path.name).symlink_to(path.resolve())
    save_file({name: tensor.contiguous() for name, tensor in head.items()}, directory / HEAD, {"format": "pt"})
    index = {"metadata": {}, "weight_map": {**names, **dict.fromkeys(head, HEAD)}}
    (directory / INDEX).write_text(json.dumps(index, indent=1, sort_keys=True), encoding="utf-8")

"""The weights of a checkpoint directory: which files hold them, and single tensors by name, without running code."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import torch
from safetensors import safe_open

from surefoot.errors import CheckpointDamaged, CheckpointMissing, CheckpointRefused
from surefoot.inspection.checkpoint_files import PICKLES, SAFETENSORS, Permission, listed_files
from surefoot.inspection.tensor_index import read_header


def weight_files(path: Path, allow: Collection[Permission] = ()) -> list[Path]:
    """The files with a checkpoint's weights, each there and with a whole header: safetensors, or pickles if allowed.

    Raises `CheckpointMissing` (no directory, no config, no weights), `CheckpointRefused` (pickles alone) and
    `CheckpointDamaged` (a listed shard is missing, a file is cut short, the index is unreadable), each naming the file
    and the way out.
    """
    if not path.is_dir():
        raise CheckpointMissing(f"model directory {path} does not exist", param="path")
    if not (path / "config.json").is_file():
        raise CheckpointMissing(f"{path} has no config.json: it is not a Hugging Face checkpoint", param="path")
    files = listed_files(path, *SAFETENSORS)
    if files:
        for file in files:
            read_header(file)
        return files
    pickles = listed_files(path, *PICKLES)
    if not pickles:
        raise CheckpointMissing(f"{path} has no weights (.safetensors files): copy them there", param="path")
    if "pickle_weights" not in allow:
        raise CheckpointRefused(
            f"{path} has pickled weights alone ({pickles[0].name}), which can run code when they are read: convert "
            'them to safetensors, or set allow = ["pickle_weights"] for this model to have torch\'s restricted loader '
            "read them",
            param="allow",
        )
    return pickles


def is_pickled(file: Path) -> bool:
    """Whether a file of `weight_files` is not safetensors."""
    return file.suffix != ".safetensors"


def read_tensors(path: Path, prefix: str, allow: Collection[Permission] = ()) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint whose names begin with `prefix` and a dot; of safetensors nothing else is read.

    Raises what `weight_files` raises.
    """
    return dict(stored_tensors(path, allow, lambda name: name.startswith(f"{prefix}.")))


def stored_tensors(
    path: Path, allow: Collection[Permission] = (), is_wanted: Callable[[str], bool] = lambda _: True
) -> Iterator[tuple[str, torch.Tensor]]:
    """The wanted tensors of a checkpoint with their names, one after another, on the CPU in their stored type.

    Raises what `weight_files` raises.
    """
    for file in weight_files(path, allow):
        if is_pickled(file):
            yield from ((name, tensor) for name, tensor in _unpickled(file).items() if is_wanted(name))
            continue
        with safe_open(file, framework="pt") as opened:
            for name in filter(is_wanted, opened.keys()):
                yield name, opened.get_tensor(name)


def _unpickled(file: Path) -> dict[str, torch.Tensor]:
    try:
        # Files of before torch 1.6 are no archives and cannot be mapped.
        found = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError) as cause:
        raise CheckpointDamaged(
            f"{file} is damaged, or holds more than tensors, which is never loaded; copy it again, or convert it to "
            "safetensors where you trust it",
            param="path",
        ) from cause
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise CheckpointDamaged(f"{file} is no table of tensors: convert it to safetensors", param="path")
    return found

"""Copies of tiny checkpoints to damage or to rewrite."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file


@pytest.fixture
def copied(tiny, tmp_path: Path) -> Path:
    """A llama checkpoint of the test's own."""
    return Path(shutil.copytree(tiny("llama"), tmp_path / "llama"))


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """A copy of any checkpoint."""
    return lambda directory: Path(shutil.copytree(directory, tmp_path / "copy"))


@pytest.fixture
def rewrite() -> Callable[[Path, Callable[[dict], dict]], None]:
    """Changes the weights of a checkpoint in place: `rewrite(path, change)` with a dict by name in and out."""

    def change_weights(path: Path, change: Callable[[dict], dict]) -> None:
        file = path / "model.safetensors"
        save_file(change(load_file(file)), file, metadata={"format": "pt"})

    return change_weights


@pytest.fixture
def configure() -> Callable[..., None]:
    """Sets values in a checkpoint's config.json: `configure(path, model_type="x")`."""

    def set_values(path: Path, **values: Any) -> None:
        file = path / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | values), encoding="utf-8")

    return set_values


@pytest.fixture
def shard() -> Callable[[Path], list[str]]:
    """Splits a checkpoint's weights over two files with an index, and gives their names."""

    def split(path: Path) -> list[str]:
        weights = load_file(path / "model.safetensors")
        (path / "model.safetensors").unlink()
        names = sorted(weights)
        shards = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
        for file, kept in shards.items():
            save_file({name: weights[name] for name in kept}, path / file, metadata={"format": "pt"})
        weight_map = {name: file for file, kept in shards.items() for name in kept}
        index = {"metadata": {}, "weight_map": weight_map}
        (path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
        return list(shards)

    return split

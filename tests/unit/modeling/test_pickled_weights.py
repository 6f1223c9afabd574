"""Pickled weights are read only where that is asked for by name, and then without running what is in them."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from surefoot.errors import CheckpointDamaged, CheckpointRefused
from surefoot.modeling.checkpoint import Checkpoint, load_checkpoint
from surefoot.modeling.weights import read_tensors, weight_files

ALLOW = ("pickle_weights",)


def load(path: Path, *, allow: tuple = ALLOW, architecture: str = "causal_lm") -> Checkpoint:
    return load_checkpoint(path, architecture, dtype="float32", device="cpu", attention="sdpa", allow=allow)


class Harmful:
    """What pickle runs when it reads this."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return Path.touch, (self.target,)


@pytest.fixture
def pickled(copied: Path) -> Path:
    """The llama checkpoint with its weights in pytorch_model.bin alone."""
    torch.save(load_file(copied / "model.safetensors"), copied / "pytorch_model.bin")
    (copied / "model.safetensors").unlink()
    return copied


@pytest.fixture
def sharded(pickled: Path) -> Path:
    """The same over two files and an index."""
    weights = torch.load(pickled / "pytorch_model.bin", weights_only=True)
    (pickled / "pytorch_model.bin").unlink()
    names = sorted(weights)
    shards = {"pytorch_model-1.bin": names[::2], "pytorch_model-2.bin": names[1::2]}
    for file, kept in shards.items():
        torch.save({name: weights[name] for name in kept}, pickled / file)
    index = {"weight_map": {name: file for file, kept in shards.items() for name in kept}}
    (pickled / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
    return pickled


def test_pickles_are_refused_with_the_way_out(pickled: Path) -> None:
    with pytest.raises(CheckpointRefused, match=r'convert them to safetensors, or set allow = \["pickle_weights"\]'):
        load(pickled, allow=())


def test_another_permission_does_not_open_pickles(pickled: Path) -> None:
    with pytest.raises(CheckpointRefused):
        load(pickled, allow=("remote_code",))


def test_allowed_pickles_hold_the_same_weights(tiny, pickled: Path) -> None:
    expected, found = load(tiny("llama")).model.state_dict(), load(pickled).model.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_allowed_shards_are_loaded_together(tiny, sharded: Path) -> None:
    expected, found = load(tiny("llama")).model.state_dict(), load(sharded).model.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_trunk_is_loaded_from_pickles(tiny, pickled: Path) -> None:
    expected = load(tiny("llama"), architecture="trunk").trunk.state_dict()
    found = load(pickled, architecture="trunk").trunk.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_files_of_before_archives_are_read(pickled: Path) -> None:
    file = pickled / "pytorch_model.bin"
    torch.save(torch.load(file, weights_only=True), file, _use_new_zipfile_serialization=False)
    assert load(pickled).model.lm_head.weight.shape == (320, 64)


def test_single_tensors_are_read_by_prefix(pickled: Path) -> None:
    assert list(read_tensors(pickled, "lm_head", ALLOW)) == ["lm_head.weight"]


def test_safetensors_are_preferred(tiny, pickled: Path) -> None:
    (pickled / "model.safetensors").write_bytes((tiny("llama") / "model.safetensors").read_bytes())
    assert [file.name for file in weight_files(pickled, ALLOW)] == ["model.safetensors"]


def test_missing_weights_in_a_pickle_are_damage(pickled: Path) -> None:
    file = pickled / "pytorch_model.bin"
    weights = torch.load(file, weights_only=True)
    del weights["model.norm.weight"]
    torch.save(weights, file)
    with pytest.raises(CheckpointDamaged, match=r"norm\.weight"):
        load(pickled)


@pytest.mark.parametrize("dump", [torch.save, lambda value, file: file.write_bytes(pickle.dumps(value, protocol=2))])
def test_code_in_a_pickle_is_never_run(pickled: Path, tmp_path: Path, dump: Callable) -> None:
    dump({"lm_head.weight": Harmful(tmp_path / "ran")}, pickled / "pytorch_model.bin")
    with pytest.raises(CheckpointDamaged, match="never loaded"):
        load(pickled)
    assert not (tmp_path / "ran").exists()


def test_truncated_pickle_is_damage(pickled: Path) -> None:
    file = pickled / "pytorch_model.bin"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(CheckpointDamaged, match=r"pytorch_model\.bin is damaged"):
        load(pickled)


def test_pickle_of_something_else_is_damage(pickled: Path) -> None:
    torch.save([torch.zeros(1)], pickled / "pytorch_model.bin")
    with pytest.raises(CheckpointDamaged, match="no table of tensors"):
        load(pickled)


def test_missing_shard_is_named(sharded: Path) -> None:
    (sharded / "pytorch_model-2.bin").unlink()
    with pytest.raises(CheckpointDamaged, match=r"pytorch_model-2\.bin is listed"):
        load(sharded)

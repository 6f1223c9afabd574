"""A checkpoint is loaded whole or refused with the file's name and the way out."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from surefoot.errors import CheckpointDamaged, CheckpointMissing, SettingsInvalid
from surefoot.modeling.checkpoint import Checkpoint, choose_device, choose_dtype, load_checkpoint, weight_files
from surefoot.modeling.heads import classification_head


def load(path: Path, architecture: str = "causal_lm", dtype: str = "float32") -> Checkpoint:
    return load_checkpoint(path, architecture, dtype=dtype, device="cpu", attention="sdpa")


@pytest.fixture
def copied(tiny, tmp_path: Path) -> Path:
    """A llama checkpoint to damage."""
    return Path(shutil.copytree(tiny("llama"), tmp_path / "llama"))


def rewrite(path: Path, change) -> None:
    """Change the weights of a checkpoint in place; `change` takes and gives a dict by name."""
    file = path / "model.safetensors"
    save_file(change(load_file(file)), file, metadata={"format": "pt"})


def split_into_shards(path: Path) -> list[str]:
    weights = load_file(path / "model.safetensors")
    (path / "model.safetensors").unlink()
    names = sorted(weights)
    shards = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for shard, kept in shards.items():
        save_file({name: weights[name] for name in kept}, path / shard, metadata={"format": "pt"})
    weight_map = {name: shard for shard, kept in shards.items() for name in kept}
    index = {"metadata": {}, "weight_map": weight_map}
    (path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return list(shards)


def test_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointMissing, match="nowhere does not exist"):
        load(tmp_path / "nowhere")


def test_directory_without_config_is_no_checkpoint(copied: Path) -> None:
    (copied / "config.json").unlink()
    with pytest.raises(CheckpointMissing, match=r"config\.json"):
        load(copied)


def test_config_that_is_not_json_is_damage(copied: Path) -> None:
    (copied / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointDamaged, match=r"config\.json"):
        load(copied)


def test_unknown_model_type_is_damage(copied: Path) -> None:
    (copied / "config.json").write_text('{"model_type": "unheard-of"}', encoding="utf-8")
    with pytest.raises(CheckpointDamaged, match="unheard-of"):
        load(copied)


def test_pickled_weights_are_not_loaded(copied: Path) -> None:
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(CheckpointMissing, match="convert them"):
        load(copied)


def test_truncated_weights_are_named(copied: Path) -> None:
    file = copied / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(CheckpointDamaged, match=r"model\.safetensors is cut short.*copy it again"):
        load(copied)


def test_listed_but_absent_shard_is_named(copied: Path) -> None:
    (copied / split_into_shards(copied)[1]).unlink()
    with pytest.raises(CheckpointDamaged, match=r"model-2\.safetensors is listed"):
        load(copied)


@pytest.mark.parametrize("index", ["{", "{}", '{"weight_map": []}'])
def test_unreadable_index_is_damage(copied: Path, index: str) -> None:
    (copied / "model.safetensors.index.json").write_text(index, encoding="utf-8")
    with pytest.raises(CheckpointDamaged, match=r"model\.safetensors\.index\.json"):
        load(copied)


def test_shards_are_loaded_together(tiny, copied: Path) -> None:
    split_into_shards(copied)
    whole, sharded = load(tiny("llama")).model.state_dict(), load(copied).model.state_dict()
    assert all(torch.equal(whole[name], sharded[name]) for name in whole)


def test_weight_files_are_those_of_the_index(copied: Path) -> None:
    shards = split_into_shards(copied)
    shutil.copy(copied / shards[0], copied / "stray.safetensors")
    assert [file.name for file in weight_files(copied)] == shards


def test_missing_head_weights_are_never_made_up(tiny) -> None:
    with pytest.raises(CheckpointDamaged, match=r"score\.weight"):
        load(tiny("llama"), "sequence_classification")


def test_missing_trunk_weights_are_never_made_up(copied: Path) -> None:
    lost = "model.layers.1.mlp.up_proj.weight"
    rewrite(copied, lambda weights: {name: weight for name, weight in weights.items() if name != lost})
    with pytest.raises(CheckpointDamaged, match="up_proj"):
        load(copied)


def test_weights_of_another_shape_are_never_made_up(copied: Path) -> None:
    rewrite(copied, lambda weights: weights | {"model.norm.weight": torch.ones(32)})
    with pytest.raises(CheckpointDamaged, match="cannot be loaded"):
        load(copied)


def test_every_weight_is_the_checkpoints_own(tiny) -> None:
    stored = load_file(tiny("llama") / "model.safetensors")
    loaded = load(tiny("llama")).model.state_dict()
    assert set(stored) == set(loaded)
    assert all(torch.equal(stored[name], loaded[name]) for name in stored)


def test_wrong_number_of_labels_names_both_numbers(tiny) -> None:
    checkpoint = load(tiny("qwen2_tokens", num_labels=3), "token_classification")
    with pytest.raises(CheckpointDamaged, match="3 outputs but the profile reads 2"):
        classification_head(checkpoint.model, 2)


def test_model_is_in_evaluation_mode_without_gradients(tiny) -> None:
    model = load(tiny("qwen2_tokens"), "token_classification").model
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_weights_have_the_dtype_asked_for(tiny, dtype: str) -> None:
    checkpoint = load(tiny("llama"), dtype=dtype)
    wanted = getattr(torch, dtype)
    assert (checkpoint.dtype, checkpoint.device.type) == (wanted, "cpu")
    assert {parameter.dtype for parameter in checkpoint.model.parameters()} == {wanted}


def test_context_is_the_configurations(tiny) -> None:
    assert load(tiny("llama", max_position_embeddings=512)).max_positions == 512


@pytest.mark.parametrize(("has_cuda", "expected"), [(True, "cuda:0"), (False, "cpu")])
def test_auto_device_is_the_gpu_where_there_is_one(monkeypatch, has_cuda: bool, expected: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    assert str(choose_device("auto")) == expected


def test_named_device_is_taken(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert str(choose_device("cuda:1")) == "cuda:1"


@pytest.mark.parametrize(("name", "count"), [("cuda", 0), ("cuda:0", 0), ("cuda:2", 2)])
def test_absent_device_is_refused_with_the_way_out(monkeypatch, name: str, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(SettingsInvalid, match=f"device is {name}, .* finds {count} CUDA devices; set it to") as caught:
        choose_device(name)
    assert caught.value.param == "device"


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"bf16": True}, torch.bfloat16),
        ({"avx2": True, "avx512_bf16": False}, torch.float32),
    ],
)
def test_auto_dtype_on_a_cpu_is_bf16_where_it_is_native(monkeypatch, capabilities, expected: torch.dtype) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert choose_dtype("auto", torch.device("cpu")) is expected


@pytest.mark.parametrize(("native", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_dtype_on_a_gpu_is_bf16_where_it_is_native(monkeypatch, native: bool, expected: torch.dtype) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: native)
    assert choose_dtype("auto", torch.device("cuda:0")) is expected


def test_named_dtype_is_taken() -> None:
    assert choose_dtype("float16", torch.device("cpu")) is torch.float16

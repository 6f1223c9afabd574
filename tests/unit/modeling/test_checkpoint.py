"""A checkpoint is loaded whole or refused with the file's name and the way out."""

import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from surefoot.errors import CheckpointDamaged, CheckpointMissing, SettingsInvalid
from surefoot.modeling.checkpoint import Checkpoint, choose_device, choose_dtype, load_checkpoint
from surefoot.modeling.weights import read_tensors, weight_files


def load(path: Path, architecture: str = "causal_lm", dtype: str = "float32") -> Checkpoint:
    return load_checkpoint(path, architecture, dtype=dtype, device="cpu", attention="sdpa")


def test_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointMissing, match="nowhere does not exist"):
        load(tmp_path / "nowhere")


def test_directory_without_config_is_no_checkpoint(copied: Path) -> None:
    (copied / "config.json").unlink()
    with pytest.raises(CheckpointMissing, match=r"config\.json"):
        load(copied)


def test_truncated_weights_are_named(copied: Path) -> None:
    file = copied / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(CheckpointDamaged, match=r"model\.safetensors is cut short.*copy it again"):
        load(copied)


def test_listed_but_absent_shard_is_named(copied: Path, shard) -> None:
    (copied / shard(copied)[1]).unlink()
    with pytest.raises(CheckpointDamaged, match=r"model-2\.safetensors is listed"):
        load(copied)


@pytest.mark.parametrize("index", ["{", "{}", '{"weight_map": []}'])
def test_unreadable_index_is_damage(copied: Path, index: str) -> None:
    (copied / "model.safetensors.index.json").write_text(index, encoding="utf-8")
    with pytest.raises(CheckpointDamaged, match=r"model\.safetensors\.index\.json"):
        load(copied)


def test_shards_are_loaded_together(tiny, copied: Path, shard) -> None:
    shard(copied)
    whole, sharded = load(tiny("llama")).model.state_dict(), load(copied).model.state_dict()
    assert all(torch.equal(whole[name], sharded[name]) for name in whole)


def test_an_index_may_not_lead_out_of_its_directory(copied: Path) -> None:
    index = copied / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"lm_head.weight": "../elsewhere.safetensors"}}', encoding="utf-8")
    with pytest.raises(CheckpointDamaged, match="outside its directory"):
        load(copied)


def test_directory_without_weights_says_what_is_missing(copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    with pytest.raises(CheckpointMissing, match=r"no weights \(\.safetensors files\)"):
        load(copied)


def test_weight_files_are_those_of_the_index(copied: Path, shard) -> None:
    shards = shard(copied)
    shutil.copy(copied / shards[0], copied / "stray.safetensors")
    assert [file.name for file in weight_files(copied)] == shards


def test_missing_output_layer_is_never_made_up(tiny) -> None:
    with pytest.raises(CheckpointDamaged, match=r"lm_head\.weight"):
        load(tiny("llama_reward"), "causal_lm")


def test_missing_trunk_weights_are_never_made_up(copied: Path, rewrite) -> None:
    lost = "model.layers.1.mlp.up_proj.weight"
    rewrite(copied, lambda weights: {name: weight for name, weight in weights.items() if name != lost})
    with pytest.raises(CheckpointDamaged, match="up_proj"):
        load(copied)


def test_weights_of_another_shape_are_never_made_up(copied: Path, rewrite) -> None:
    rewrite(copied, lambda weights: weights | {"model.norm.weight": torch.ones(32)})
    with pytest.raises(CheckpointDamaged, match="cannot be loaded"):
        load(copied)


def test_every_weight_is_the_checkpoints_own(tiny) -> None:
    stored = load_file(tiny("llama") / "model.safetensors")
    loaded = load(tiny("llama")).model.state_dict()
    assert set(stored) == set(loaded)
    assert all(torch.equal(stored[name], loaded[name]) for name in stored)


@pytest.mark.parametrize(
    "family", ["qwen2_tokens", "llama_reward", "qwen2.5-math-prm", "skywork-o1-open-prm", "reasoneval-7b", "openrlhf"]
)
def test_trunk_of_any_class_is_found_by_its_prefix(tiny, family: str) -> None:
    stored = load_file(tiny(family) / "model.safetensors")
    loaded = load(tiny(family), "trunk").trunk.state_dict()
    assert all(torch.equal(loaded[name], stored[f"model.{name}"]) for name in loaded)
    assert {name for name in stored if name.startswith("model.")} == {f"model.{name}" for name in loaded}


def test_code_of_the_checkpoints_own_is_not_asked_for_where_the_trunk_is_known(copied: Path, configure) -> None:
    configure(copied, auto_map={"AutoConfig": "absent.Config", "AutoModel": "absent.Model"})
    assert type(load(copied, "trunk").trunk).__name__ == "LlamaModel"


def test_weights_that_nothing_reads_are_told_of(copied: Path, rewrite, caplog) -> None:
    rewrite(copied, lambda weights: weights | {"adapter.weight": torch.ones(2), "v_head.weight": torch.ones(1, 64)})
    with caplog.at_level(logging.INFO, logger="surefoot"):
        load(copied)
    assert "1 weights that are not read, among them adapter.weight" in caplog.text


def test_tensors_are_read_by_whole_prefix(copied: Path, rewrite) -> None:
    rewrite(copied, lambda weights: weights | {"score.weight": torch.ones(2), "score_head.weight": torch.ones(3)})
    assert list(read_tensors(copied, "score")) == ["score.weight"]


def test_model_is_in_evaluation_mode_without_gradients(tiny) -> None:
    model = load(tiny("qwen2_tokens"), "trunk").model
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


def test_models_loaded_at_the_same_time_are_whole(tiny) -> None:
    """transformers loads with changes to the whole process; the weights of this one are tied."""
    directory = tiny("llama", tie_word_embeddings=True)
    with ThreadPoolExecutor(4) as threads:
        loaded = list(threads.map(lambda _: load(directory), range(16)))
    assert all(one.model.lm_head.weight is one.model.get_input_embeddings().weight for one in loaded)

"""Adapters that cannot be applied as they are meant are refused, with what to do."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from surefoot.errors import AdapterInvalid, AdapterMismatch
from surefoot.modeling.adapters import AdaptedLayers, read_adapter
from surefoot.modeling.checkpoint import load_checkpoint

LAYER = "base_model.model.model.layers.0.mlp.up_proj"
CONFIG = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "bias": "none"}


def tensors(name: str = LAYER, *, inputs: int = 64, outputs: int = 96) -> dict[str, torch.Tensor]:
    return {f"{name}.lora_A.weight": torch.ones(2, inputs), f"{name}.lora_B.weight": torch.ones(outputs, 2)}


@pytest.fixture
def written(tmp_path: Path):
    """Writes an adapter: `written(weights, use_dora=True)`; `facts` go into surefoot.json."""

    def write(weights: dict[str, torch.Tensor] | None = None, facts: Any = None, **config: Any) -> Path:
        save_file(tensors() if weights is None else weights, tmp_path / "adapter_model.safetensors")
        (tmp_path / "adapter_config.json").write_text(json.dumps(CONFIG | config), encoding="utf-8")
        if facts is not None:
            (tmp_path / "surefoot.json").write_text(json.dumps(facts), encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def layers(tiny) -> AdaptedLayers:
    checkpoint = load_checkpoint(tiny("llama"), "causal_lm", dtype="float32", device="cpu", attention="sdpa")
    return AdaptedLayers(checkpoint.model)


def test_the_scale_is_alpha_over_rank(written) -> None:
    (layer,) = read_adapter(written()).layers.values()
    assert layer.scale == 2


def test_rank_stabilised_adapters_are_scaled_by_the_root_of_the_rank(written) -> None:
    (layer,) = read_adapter(written(use_rslora=True)).layers.values()
    assert layer.scale == pytest.approx(4 / 2**0.5)


def test_the_id_names_values_and_scale(written) -> None:
    ids = {read_adapter(written()).id, read_adapter(written(lora_alpha=8)).id}
    ids.add(read_adapter(written({name: 2 * tensor for name, tensor in tensors().items()})).id)
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("option", "value"),
    [("use_dora", True), ("bias", "all"), ("modules_to_save", ["score"]), ("rank_pattern", {"q_proj": 4})],
)
def test_options_that_change_what_is_computed_are_refused_by_name(written, option: str, value: object) -> None:
    with pytest.raises(AdapterInvalid, match=f"sets {option}, .*merge"):
        read_adapter(written(**{option: value}))


def test_other_kinds_of_adapters_are_refused(written) -> None:
    with pytest.raises(AdapterInvalid, match="IA3"):
        read_adapter(written(peft_type="IA3"))


def test_a_missing_directory_is_named(tmp_path) -> None:
    with pytest.raises(AdapterInvalid, match="nowhere"):
        read_adapter(tmp_path / "nowhere")


def test_weights_that_are_cut_short_are_refused(written) -> None:
    file = written() / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(AdapterInvalid, match="copy it again"):
        read_adapter(file.parent)


def test_weights_of_another_run_than_the_facts_are_refused(written) -> None:
    with pytest.raises(AdapterInvalid, match="belongs to other weights"):
        read_adapter(written(facts={"sha256": "0" * 64}))


def test_half_a_pair_of_matrices_is_refused(written) -> None:
    with pytest.raises(AdapterInvalid, match="pairs"):
        read_adapter(written({f"{LAYER}.lora_A.weight": torch.ones(2, 64)}))


def test_tensors_that_are_no_matrices_are_refused(written) -> None:
    with pytest.raises(AdapterInvalid, match="pairs of LoRA matrices"):
        read_adapter(written({f"{LAYER}.lora_A.weight": torch.ones(2), f"{LAYER}.lora_B.weight": torch.ones(2)}))


def test_what_was_read_does_not_change_with_its_file(written) -> None:
    (layer,) = read_adapter(written()).layers.values()
    file = written({name: 2 * tensor for name, tensor in tensors().items()}) / "adapter_model.safetensors"
    file.write_bytes(bytes(file.stat().st_size))
    assert layer.up.unique().tolist() == [1.0]


def test_an_adapter_of_another_base_is_refused_by_its_id(written) -> None:
    adapter = read_adapter(written(facts={"base_id": "aaaa"}))
    adapter.check_base("aaaa")
    with pytest.raises(AdapterMismatch, match="base aaaa, and this model's is bbbb"):
        adapter.check_base("bbbb")


def test_an_adapter_that_names_no_base_is_held_against_the_layers_alone(written) -> None:
    read_adapter(written()).check_base("anything")


@pytest.mark.parametrize(
    "weights", [tensors("base_model.model.model.layers.7.mlp.up_proj"), tensors(inputs=32), tensors(outputs=64)]
)
def test_a_layer_that_the_model_does_not_have_is_named(written, layers, weights) -> None:
    with pytest.raises(AdapterMismatch, match=r"changes model.layers"):
        layers.add("m", read_adapter(written(weights)))


def test_a_layer_is_changed_while_its_adapter_is_active_and_not_after(written, layers) -> None:
    layers.add("m", read_adapter(written()))
    module = layers._model.model.layers[0].mlp.up_proj
    inputs = torch.ones(1, 64)
    plain = module(inputs)
    with layers.active("m"):
        assert torch.allclose(module(inputs), plain + 2 * 64 * 2)
    with layers.active("another"):
        assert torch.equal(module(inputs), plain)
    assert torch.equal(module(inputs), plain)


def test_an_adapter_that_is_let_go_of_changes_nothing_more(written, layers) -> None:
    layers.add("m", read_adapter(written()))
    module = layers._model.model.layers[0].mlp.up_proj
    plain = module(torch.ones(1, 64))
    layers.remove("m")
    with layers.active("m"):
        assert torch.equal(module(torch.ones(1, 64)), plain)


def test_a_pass_ends_with_the_adapter_that_it_began_with(written, layers) -> None:
    layers.add("m", read_adapter(written()))
    module = layers._model.model.layers[0].mlp.up_proj
    with layers.active("m"):
        changed = module(torch.ones(1, 64))
        layers.remove("m")
        assert torch.equal(module(torch.ones(1, 64)), changed)

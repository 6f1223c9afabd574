"""Cut checkpoints give what the whole gives after so many layers; headed ones are the base with a head."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForCausalLM

from surefoot.errors import CheckpointDamaged
from surefoot.modeling.depth import num_layers, write_first_layers
from surefoot.modeling.headed_checkpoint import write_headed
from surefoot.modeling.weights import read_tensors

IDS = torch.tensor([[5, 6, 7, 8]])


@pytest.mark.parametrize("family", ["llama", "gemma3"])
def test_the_first_layers_end_in_the_final_norm(tiny, tmp_path: Path, family: str) -> None:
    whole = tiny(family, num_hidden_layers=3)
    write_first_layers(whole, tmp_path / "cut", 2)
    assert num_layers(tmp_path / "cut") == 2
    model = AutoModel.from_pretrained(whole, dtype=torch.float32).eval()
    with torch.no_grad():
        # Before the third layer, by the hook that sees what it is given.
        given: list[torch.Tensor] = []
        trunk = getattr(model, "language_model", model)
        trunk.layers[2].register_forward_pre_hook(
            lambda _, args, named: given.append(args[0] if args else named["hidden_states"]), with_kwargs=True
        )
        model(IDS)
        expected = trunk.norm(given[0])
        cut = AutoModel.from_pretrained(tmp_path / "cut", dtype=torch.float32).eval()
        torch.testing.assert_close(cut(IDS).last_hidden_state, expected)


def test_a_cut_model_keeps_tokenizer_and_output_layer(tiny, tmp_path: Path) -> None:
    whole = tiny("llama", num_hidden_layers=3)
    write_first_layers(whole, tmp_path / "cut", 1)
    assert not any("layers.1." in name for name in load_file(tmp_path / "cut/model.safetensors"))
    head = AutoModelForCausalLM.from_pretrained(tmp_path / "cut").lm_head.weight
    assert torch.equal(head, AutoModelForCausalLM.from_pretrained(whole).lm_head.weight)
    assert (tmp_path / "cut/tokenizer.json").read_bytes() == (whole / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("count", [0, 4])
def test_a_checkpoint_without_so_many_layers_is_refused(tiny, tmp_path: Path, count: int) -> None:
    with pytest.raises(CheckpointDamaged, match=f"3 layers, so that {count}"):
        write_first_layers(tiny("llama", num_hidden_layers=3), tmp_path / "cut", count)
    assert not (tmp_path / "cut").exists()


def test_a_headed_checkpoint_is_its_base_with_a_head(tiny, tmp_path: Path) -> None:
    base = tiny("llama")
    head = {"score.weight": torch.arange(128.0).reshape(2, 64), "score.bias": torch.tensor([1.0, 2.0])}
    write_headed(base, tmp_path / "headed", head)
    found = read_tensors(tmp_path / "headed", "score")
    assert all(torch.equal(found[name], tensor) for name, tensor in head.items())
    with torch.no_grad():
        theirs, ours = (AutoModel.from_pretrained(path)(IDS).last_hidden_state for path in (base, tmp_path / "headed"))
    assert torch.equal(theirs, ours)
    assert json.loads((tmp_path / "headed/config.json").read_text(encoding="utf-8"))["model_type"] == "llama"

"""Bases that learn to write: new ones as a whole, others in their upper layers alone."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from surefoot.errors import NotTrainable
from surefoot.modeling.checkpoint import load_checkpoint
from surefoot.modeling.packed_attention import PACKED_ATTENTION
from surefoot.training.language import write_adapted, write_new_model

TEXT = [[5, 6, 7, 8, 9, 10]] * 4


def adapted(source: Path, target: Path, top_layers: int | None, num_tokens: int = 600) -> list[float]:
    checkpoint = load_checkpoint(source, "causal_lm", dtype="float32", device="cpu", attention=PACKED_ATTENTION)
    return write_adapted(
        checkpoint,
        TEXT,
        target,
        num_tokens=num_tokens,
        top_layers=top_layers,
        rate=0.01,
        seed=0,
        stepped=lambda *_: None,
    )


def test_the_upper_layers_learn_the_text_and_the_others_stay(tiny, tmp_path: Path) -> None:
    base = tiny("llama", num_hidden_layers=3)
    losses = adapted(base, tmp_path / "adapted", top_layers=1, num_tokens=6000)
    assert losses[-1] < 0.5 * losses[0]
    before, after = (load_file(path / "model.safetensors") for path in (base, tmp_path / "adapted"))
    changed = {name for name, value in after.items() if not torch.equal(value, before[name].bfloat16())}
    assert changed
    assert all("layers.2." in name or name.endswith("model.norm.weight") for name in changed)


def test_a_new_model_learns_with_its_embedding(tiny, tmp_path: Path) -> None:
    write_new_model(tiny("llama"), tmp_path / "new", num_layers=1, hidden_size=32, seed=0)
    losses = adapted(tmp_path / "new", tmp_path / "adapted", top_layers=None, num_tokens=6000)
    assert losses[-1] < 0.5 * losses[0]
    embedding = load_file(tmp_path / "adapted/model.safetensors")["model.embed_tokens.weight"]
    first = load_file(tmp_path / "new/model.safetensors")["model.embed_tokens.weight"]
    assert embedding.shape == (320, 32)
    assert not torch.equal(embedding, first.bfloat16())


def test_a_new_model_is_the_same_for_a_seed(tiny, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_new_model(tiny("llama"), tmp_path / name, num_layers=1, hidden_size=32, seed=seed)
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b != c


def test_a_head_is_32_dimensions_wide(tiny, tmp_path: Path) -> None:
    with pytest.raises(NotTrainable, match="multiple of 32"):
        write_new_model(tiny("llama"), tmp_path / "new", num_layers=1, hidden_size=40, seed=0)

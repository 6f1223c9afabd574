"""A random checkpoint is what its shape says, the same for equal seeds, and one model in both of its forms."""

import json
import math
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from loadtests.comparison.gpu_memory import ROOM_BYTES, share_of
from loadtests.comparison.merged_checkpoint import Checkpoints
from loadtests.comparison.random_checkpoint import (
    SHAPES,
    ScratchTooSmall,
    parameter_shapes,
    qwen2_config,
    random_checkpoints,
)
from loadtests.comparison.roofline import ModelShape
from loadtests.servers.surefoot_server import read_scorer
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForTokenClassification

from tiny_models import TinyCheckpoints


@pytest.fixture(scope="module")
def base(tiny: TinyCheckpoints) -> Path:
    """Whose tokenizer, vocabulary and special tokens are taken."""
    return tiny("llama")


@pytest.fixture(scope="module")
def tiny_shape(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkpoints:
    return random_checkpoints("tiny", base, tmp_path_factory.mktemp("tiny"), seed=1, device="cpu")


def weights(directory: Path) -> dict[str, torch.Tensor]:
    return {name: each for file in sorted(directory.glob("*.safetensors")) for name, each in load_file(file).items()}


def test_both_forms_load_whole_and_give_the_same_contrast(tiny_shape: Checkpoints) -> None:
    causal, report = AutoModelForCausalLM.from_pretrained(tiny_shape.causal, output_loading_info=True)
    classifier, other = AutoModelForTokenClassification.from_pretrained(tiny_shape.classifier, output_loading_info=True)
    assert not any(found[keys] for found in (report, other) for keys in ("missing_keys", "unexpected_keys"))
    assert causal.dtype == classifier.dtype == torch.bfloat16
    tokens = torch.tensor([[5, 300, 17, 101, 9, 254]])
    with torch.inference_mode():
        positive, negative = causal.float()(tokens).logits[..., list(tiny_shape.words)].unbind(-1)
        columns = classifier.float()(tokens).logits
    torch.testing.assert_close(columns.diff(dim=-1)[..., 0], positive - negative, rtol=0, atol=1e-4)
    assert columns.softmax(-1)[..., 1].std() > 0.05


def test_equal_seeds_give_equal_weights_and_others_others(base: Path, tiny_shape: Checkpoints, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    (tmp_path / "other").mkdir()
    again = random_checkpoints("tiny", base, tmp_path / "again", seed=1, device="cpu")
    other = random_checkpoints("tiny", base, tmp_path / "other", seed=2, device="cpu")
    expected, found = weights(tiny_shape.causal), weights(again.causal)
    assert expected.keys() == found.keys()
    assert all(torch.equal(each, found[name]) for name, each in expected.items())
    assert not torch.equal(expected["model.embed_tokens.weight"], weights(other.causal)["model.embed_tokens.weight"])


def test_an_output_layer_of_its_own_and_shards_are_the_same_model(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtests.comparison.random_checkpoint.SHARD_BYTES", 2**20)
    untied = dict(SHAPES["tiny"]) | {"tie_word_embeddings": False}
    monkeypatch.setattr("loadtests.comparison.random_checkpoint.SHAPES", {"untied": untied})
    made = random_checkpoints("untied", base, tmp_path, seed=1, device="cpu")
    stored = weights(made.causal)
    assert stored.keys() == parameter_shapes(qwen2_config("untied", base)).keys()
    assert len(list(made.causal.glob("*.safetensors"))) > 3
    _, report = AutoModelForTokenClassification.from_pretrained(made.classifier, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    head = weights(made.classifier)["score.weight"]
    assert torch.equal(head, stored["lm_head.weight"][list(reversed(made.words))])


def test_the_service_is_pointed_at_the_same_weights(tiny_shape: Checkpoints) -> None:
    assert f'path = "{tiny_shape.causal}"' in read_scorer(tiny_shape.causal)
    assert "tiny" in tiny_shape.title


@pytest.mark.parametrize(("shape", "least", "most"), [("1.5b", 1.2e9, 1.8e9), ("7b", 6e9, 8e9)])
def test_shapes_have_the_size_that_they_are_named_for(
    base: Path, tmp_path: Path, shape: str, least: float, most: float
) -> None:
    """Counted without making them; the work that is reported is two operations a weight outside the embeddings."""
    own = json.loads((base / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(own | {"vocab_size": 49_152}), encoding="utf-8")
    config = qwen2_config(shape, tmp_path)
    sizes = {name: math.prod(each) for name, each in parameter_shapes(config).items()}
    assert least <= sum(sizes.values()) <= most
    products = sum(size for name, size in sizes.items() if name.endswith("_proj.weight"))
    assert ModelShape.of(json.loads(config.to_json_string())).flops_per_token == 2 * products


def test_too_little_scratch_space_is_said_before_anything_is_written(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")(2**40, 2**40, 2**30)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ScratchTooSmall, match="TMPDIR"):
        random_checkpoints("7b", base, tmp_path, seed=1, device="cpu")
    assert not list(tmp_path.iterdir())


def test_vllm_takes_what_its_weights_and_caches_need_of_a_device() -> None:
    assert share_of(4 * ROOM_BYTES, ROOM_BYTES) == 0.5
    assert share_of(ROOM_BYTES, ROOM_BYTES) == 0.9

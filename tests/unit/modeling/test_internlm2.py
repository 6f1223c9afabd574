"""InternLM2 run as a Llama gives what its published formula gives."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from surefoot.errors import CheckpointDamaged
from surefoot.modeling.checkpoint import Checkpoint, load_checkpoint
from surefoot.modeling.internlm2 import llama_config

HEADS, KEY_HEADS, SIZE, LAYERS, THETA, EPSILON = 4, 2, 16, 2, 10_000.0, 1e-6
TOKENS = list(range(20, 60))


def load(path: Path) -> Checkpoint:
    return load_checkpoint(path, "trunk", dtype="float32", device="cpu", attention="sdpa")


def norm(hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return weight * hidden / (hidden.pow(2).mean(-1, keepdim=True) + EPSILON).sqrt()


def rotated(heads: torch.Tensor) -> torch.Tensor:
    """[tokens, heads, size]: component j of either half turns with that of the other by t / theta^(2j/d)."""
    speeds = THETA ** (-torch.arange(0, SIZE, 2).double() / SIZE)
    angles = torch.arange(heads.shape[0]).double()[:, None] * speeds
    cosine, sine = angles.cos()[:, None], angles.sin()[:, None]
    first, second = heads[..., : SIZE // 2], heads[..., SIZE // 2 :]
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)


def attention(weights: dict[str, torch.Tensor], prefix: str, hidden: torch.Tensor) -> torch.Tensor:
    """Rows of wqkv: for each key head its queries, then the key, then the value."""
    fused = hidden @ weights[f"{prefix}.wqkv.weight"].T
    if f"{prefix}.wqkv.bias" in weights:
        fused = fused + weights[f"{prefix}.wqkv.bias"]
    group = HEADS // KEY_HEADS
    fused = fused.reshape(len(hidden), KEY_HEADS, group + 2, SIZE)
    query = rotated(fused[:, :, :group].reshape(len(hidden), HEADS, SIZE))
    key, value = rotated(fused[:, :, group]), fused[:, :, group + 1]
    causal = torch.ones(len(hidden), len(hidden)).tril().bool()
    outputs = []
    for head in range(HEADS):
        scores = query[:, head] @ key[:, head // group].T / math.sqrt(SIZE)
        outputs.append(scores.masked_fill(~causal, -math.inf).softmax(-1) @ value[:, head // group])
    found = torch.cat(outputs, dim=-1) @ weights[f"{prefix}.wo.weight"].T
    return found + weights.get(f"{prefix}.wo.bias", 0.0)


def published(path: Path) -> torch.Tensor:
    """Last hidden states [tokens, hidden] by the family's formula, in float64."""
    weights = {name: tensor.double() for name, tensor in load_file(path / "model.safetensors").items()}
    hidden = weights["model.tok_embeddings.weight"][TOKENS]
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}"
        hidden = hidden + attention(
            weights, f"{prefix}.attention", norm(hidden, weights[f"{prefix}.attention_norm.weight"])
        )
        inner = norm(hidden, weights[f"{prefix}.ffn_norm.weight"])
        gate, up, down = (weights[f"{prefix}.feed_forward.{part}.weight"] for part in ("w1", "w3", "w2"))
        hidden = hidden + (torch.nn.functional.silu(inner @ gate.T) * (inner @ up.T)) @ down.T
    return norm(hidden, weights["model.norm.weight"])


def hidden_states(path: Path) -> torch.Tensor:
    with torch.inference_mode():
        return load(path).trunk(torch.tensor([TOKENS]), use_cache=False).last_hidden_state[0].double()


def test_hidden_states_equal_the_published_formula(tiny) -> None:
    directory = tiny("internlm2-reward")
    assert torch.allclose(hidden_states(directory), published(directory), atol=1e-5)


def test_biases_of_attention_are_taken_over(tiny, copy_of, rewrite, configure) -> None:
    directory = copy_of(tiny("internlm2-reward"))
    random = torch.Generator().manual_seed(3)

    def with_biases(weights: dict) -> dict:
        biases = {
            f"{name.removesuffix('weight')}bias": torch.randn(weight.shape[0], generator=random)
            for name, weight in weights.items()
            if "attention.w" in name
        }
        return weights | biases

    rewrite(directory, with_biases)
    configure(directory, bias=True)
    assert torch.allclose(hidden_states(directory), published(directory), atol=1e-5)


def test_dynamic_scaling_changes_nothing_up_to_the_trained_length(tiny, copy_of, configure) -> None:
    directory = copy_of(tiny("internlm2-reward"))
    trained = len(TOKENS)
    configure(directory, rope_scaling={"type": "dynamic", "factor": 2.0}, max_position_embeddings=trained)
    assert load(directory).max_positions == trained
    assert torch.allclose(hidden_states(directory), published(directory), atol=1e-5)


def test_linear_scaling_is_taken_over(tiny, copy_of, configure) -> None:
    directory = copy_of(tiny("internlm2-reward"))
    configure(directory, rope_scaling={"type": "linear", "factor": 2.0})
    assert load(directory).trunk.config.rope_parameters["factor"] == 2.0
    assert not torch.allclose(hidden_states(directory), published(directory), atol=1e-2)


def test_unknown_scaling_is_refused(tiny, copy_of, configure) -> None:
    directory = copy_of(tiny("internlm2-reward"))
    configure(directory, rope_scaling={"type": "yarn", "factor": 2.0})
    with pytest.raises(CheckpointDamaged, match="rope_scaling of type 'yarn'"):
        load(directory)


def test_missing_value_of_the_configuration_is_named() -> None:
    with pytest.raises(CheckpointDamaged, match="lacks vocab_size"):
        llama_config({"model_type": "internlm2"})


def test_packed_rows_that_do_not_fit_the_heads_are_refused(tiny, copy_of, configure) -> None:
    directory = copy_of(tiny("internlm2-reward"))
    configure(directory, num_key_value_heads=4)
    with pytest.raises(CheckpointDamaged, match=r"wqkv\.weight has 128 rows, but the heads in config\.json need 192"):
        load(directory)


def test_missing_layer_is_damage(tiny, copy_of, rewrite) -> None:
    directory = copy_of(tiny("internlm2-reward"))
    lost = "model.layers.1.feed_forward.w2.weight"
    rewrite(directory, lambda weights: {name: weight for name, weight in weights.items() if name != lost})
    with pytest.raises(CheckpointDamaged, match="down_proj"):
        load(directory)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, GenerationConfig, LlamaConfig, LlamaForCausalLM

from surefoot.embedded.base_model import prepare_base
from surefoot.embedded.gguf_conversion import (
    open_gguf,
    read_dimensions,
    shortest_decimal,
    tensor_targets,
    undo_rotary_permutation,
    weights_size,
)
from surefoot.errors import CheckpointDamaged

PROMPT = torch.tensor([[1, 40, 77, 90, 5, 200, 131, 2, 64, 33]])
HF_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def hf_name(name: str) -> str:
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    _, layer, part, _ = name.split(".")
    return f"model.layers.{layer}.{HF_NAMES[part]}.weight"


def reference_model(weights: dict[str, np.ndarray]) -> LlamaForCausalLM:
    """A Hugging Face model in fp32 of the tiny sizes, weights rounded to bf16."""
    config = LlamaConfig(
        vocab_size=weights["token_embd.weight"].shape[0],
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config).eval()
    state = {hf_name(name): torch.from_numpy(weight).bfloat16().float() for name, weight in weights.items()}
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state)
    return model


@torch.inference_mode()
def logits_of(model: LlamaForCausalLM) -> torch.Tensor:
    return model(PROMPT).logits


@pytest.fixture(scope="module")
def converted_logits(prepared: Path) -> torch.Tensor:
    return logits_of(AutoModelForCausalLM.from_pretrained(prepared, dtype=torch.float32))


def test_logits_equal_those_of_the_dequantised_weights(tiny, converted_logits: torch.Tensor) -> None:
    expected = logits_of(reference_model(tiny.dequantised_weights()))
    torch.testing.assert_close(converted_logits, expected, rtol=0, atol=1e-5)


def test_logits_stay_near_those_of_the_original_weights(tiny, gguf_with, tmp_path: Path) -> None:
    prepared = prepare_base(tmp_path / "cache", source=gguf_with(matrix_type="Q8_0"))
    converted = logits_of(AutoModelForCausalLM.from_pretrained(prepared, dtype=torch.float32))
    expected = logits_of(reference_model(tiny.weights))
    assert (converted - expected).norm() < 0.05 * expected.norm()


def test_rows_of_a_head_return_to_the_order_of_halves() -> None:
    stored = np.array([[0], [2], [1], [3], [4], [6], [5], [7]], dtype=np.float32)
    assert undo_rotary_permutation(stored, 2).ravel().tolist() == [0, 1, 2, 3, 4, 5, 6, 7]


def test_every_weight_is_stored_in_bf16(prepared: Path) -> None:
    assert {tensor.dtype for tensor in load_file(prepared / "model.safetensors").values()} == {torch.bfloat16}


def test_weights_size_is_the_size_of_all_tensors(prepared: Path, tiny_gguf: Path) -> None:
    targets = tensor_targets(read_dimensions(open_gguf(tiny_gguf)))
    stored = load_file(prepared / "model.safetensors")
    assert weights_size(targets) == sum(tensor.nbytes for tensor in stored.values())


def test_the_weights_begin_at_a_multiple_of_eight_bytes(prepared: Path) -> None:
    with (prepared / "model.safetensors").open("rb") as file:
        assert int.from_bytes(file.read(8), "little") % 8 == 0


def test_no_weight_is_missing_or_left_over(prepared: Path) -> None:
    _, report = AutoModelForCausalLM.from_pretrained(prepared, output_loading_info=True)
    assert not any(report.values())


def test_the_model_loads_in_bf16_by_itself(prepared: Path) -> None:
    assert AutoModelForCausalLM.from_pretrained(prepared).dtype == torch.bfloat16


def test_configuration_keeps_what_the_file_says(prepared: Path) -> None:
    config = LlamaConfig.from_pretrained(prepared)
    said = (
        config.rms_norm_eps,
        config.rope_parameters["rope_theta"],
        config.max_position_embeddings,
        config.eos_token_id,
    )
    assert said == (1e-5, 100000.0, 128, 2)


def test_output_projection_is_tied_to_the_embedding(prepared: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(prepared)
    assert model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()


def test_generation_ends_at_the_end_of_a_turn(prepared: Path) -> None:
    generation = GenerationConfig.from_pretrained(prepared)
    assert (generation.eos_token_id, generation.pad_token_id) == (2, 2)


def test_single_precision_numbers_are_read_as_they_were_meant() -> None:
    assert shortest_decimal(9.999999747378752e-06) == 1e-5


def without(weights: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    return {other: weight for other, weight in weights.items() if other != name}


REFUSED = {
    "architecture": (lambda _: {"architecture": "qwen2"}, "general.architecture is qwen2"),
    "quantisation": (lambda _: {"matrix_type": "Q5_0"}, "Q5_0"),
    "missing tensor": (lambda w: {"weights": without(w, "blk.1.attn_v.weight")}, "lacks tensor blk.1.attn_v.weight"),
    "untied output": (
        lambda w: {"weights": w | {"output.weight": w["token_embd.weight"]}},
        "unsupported tensor output",
    ),
    "shape": (
        lambda w: {"weights": w | {"blk.0.ffn_up.weight": w["blk.0.attn_q.weight"]}},
        "ffn_up.weight has the shape",
    ),
    "not finite": (lambda w: {"weights": w | {"output_norm.weight": w["output_norm.weight"] * np.nan}}, "not finite"),
    "rotary scaling": (lambda _: {"rope_scaling": True}, "llama.rope.scaling.type"),
    "partial rotation": (lambda _: {"rotated_dimensions": 8}, "llama.rope.dimension_count is 8"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_other_checkpoints_are_refused_by_name(reason: str, tiny, gguf_with, tmp_path: Path) -> None:
    changes, message = REFUSED[reason]
    with pytest.raises(CheckpointDamaged, match=message):
        prepare_base(tmp_path / "cache", source=gguf_with(**changes(tiny.weights)))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.5, 0.999])
def test_a_truncated_file_is_damaged(share: float, tiny_gguf: Path, tmp_path: Path) -> None:
    content = tiny_gguf.read_bytes()
    truncated = tmp_path / "truncated.gguf"
    truncated.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointDamaged, match=r"truncated\.gguf is not a readable GGUF file"):
        prepare_base(tmp_path / "cache", source=truncated)


def test_a_file_of_another_format_is_damaged(tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(b"PK\x03\x04" * 64)
    with pytest.raises(CheckpointDamaged, match="not a readable GGUF file"):
        prepare_base(tmp_path / "cache", source=other)

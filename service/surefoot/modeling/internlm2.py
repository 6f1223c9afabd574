"""InternLM2 as a Llama: the same decoder under other names, with query, key and value in one matrix.

With g = query heads per key/value head and d = the size of a head, the rows of `wqkv` lie key/value head by key/value
head: g query heads, one key head, one value head, d rows each. Rotary positions are those of Llama (halves rotated).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from transformers import LlamaConfig

from surefoot.errors import CheckpointDamaged

MODEL_TYPE = "internlm2"

_NAMES = {
    "tok_embeddings": "embed_tokens",
    "attention_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attention.wo": "self_attn.o_proj",
    "feed_forward.w1": "mlp.gate_proj",
    "feed_forward.w3": "mlp.up_proj",
    "feed_forward.w2": "mlp.down_proj",
}
_NAMED = re.compile("|".join(re.escape(name) for name in _NAMES))
_SAME = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "rms_norm_eps",
    "max_position_embeddings",
)


def llama_config(config_json: Mapping[str, Any]) -> LlamaConfig:
    """The configuration of the equal Llama.

    Dynamic NTK scaling changes nothing up to `max_position_embeddings`, beyond which no input is let through. Raises
    `CheckpointDamaged` for a missing value, and for a way of scaling that the family does not have.
    """
    missing = [name for name in _SAME if name not in config_json]
    if missing:
        raise CheckpointDamaged(f"config.json of an InternLM2 model lacks {missing[0]}: copy it again", param="path")
    scaling = config_json.get("rope_scaling") or {}
    kind = scaling.get("type", scaling.get("rope_type", "default"))
    if kind not in ("default", "linear", "dynamic"):
        raise CheckpointDamaged(f"config.json has rope_scaling of type {kind!r}, unknown for InternLM2", param="path")
    rotary = {"rope_type": kind, "rope_theta": float(config_json.get("rope_theta", 10_000.0))}
    if kind != "default":
        rotary["factor"] = float(scaling.get("factor", 1.0))
    has_bias = bool(config_json.get("bias", True))
    return LlamaConfig(
        **{name: config_json[name] for name in _SAME},
        hidden_act=config_json.get("hidden_act", "silu"),
        attention_bias=has_bias,
        mlp_bias=False,
        rope_parameters=rotary,
        tie_word_embeddings=bool(config_json.get("tie_word_embeddings", False)),
        pad_token_id=config_json.get("pad_token_id"),
    )


def llama_weights(
    config: LlamaConfig, tensors: Iterable[tuple[str, torch.Tensor]], dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """Llama's weights in `dtype` from InternLM2's; heads keep their names. Raises `CheckpointDamaged`."""
    weights: dict[str, torch.Tensor] = {}
    for name, tensor in tensors:
        if ".attention.wqkv." in name:
            for part, rows in _split(config, name, tensor).items():
                weights[name.replace("attention.wqkv", f"self_attn.{part}_proj")] = rows.to(dtype)
        elif name.startswith("output."):
            weights[name.replace("output.", "lm_head.", 1)] = tensor.to(dtype)
        else:
            weights[_NAMED.sub(lambda match: _NAMES[match[0]], name)] = tensor.to(dtype)
    return weights


def _split(config: LlamaConfig, name: str, tensor: torch.Tensor) -> dict[str, torch.Tensor]:
    """Query, key and value rows of a packed weight [rows, hidden] or bias [rows]."""
    num_groups, size = config.num_key_value_heads, config.head_dim
    num_queries = config.num_attention_heads // num_groups
    if tensor.shape[0] != num_groups * (num_queries + 2) * size:
        raise CheckpointDamaged(
            f"{name} has {tensor.shape[0]} rows, but the heads in config.json need "
            f"{num_groups * (num_queries + 2) * size}: one of the two is another model's",
            param="path",
        )
    grouped = tensor.reshape(num_groups, num_queries + 2, size, *tensor.shape[1:])
    return {
        part: chosen.reshape(-1, *tensor.shape[1:]).contiguous()
        for part, chosen in (("q", grouped[:, :num_queries]), ("k", grouped[:, -2]), ("v", grouped[:, -1]))
    }

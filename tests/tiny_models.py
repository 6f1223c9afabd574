"""Tiny random checkpoints, one recipe for every architecture and every published family, reproducible from a seed.

Nothing of the service is used here: `tests/parity/golden.py` makes its references on the same checkpoints.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiny_tokenizers import write_chatml, write_llama3, write_metaspace, write_tagged_chatml

HIDDEN = 64
SIZES: dict[str, Any] = {
    "vocab_size": 320,
    "hidden_size": HIDDEN,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 16_384,
    "bos_token_id": 257,
    "eos_token_id": 259,
    "pad_token_id": 256,
}
METASPACE = {"vocab_size": 384, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": None}
MLP_TO = {
    1: {
        "score.0.weight": (HIDDEN, HIDDEN),
        "score.0.bias": (HIDDEN,),
        "score.2.weight": (1, HIDDEN),
        "score.2.bias": (1,),
    },
    2: {
        "score.0.weight": (HIDDEN, HIDDEN),
        "score.0.bias": (HIDDEN,),
        "score.2.weight": (2, HIDDEN),
        "score.2.bias": (2,),
    },
}


@dataclass(frozen=True)
class Recipe:
    """How a tiny checkpoint is made.

    `model` is a class of transformers; a bare decoder gets the tensors of `head` beside it and is called `named` in
    its config.json, as checkpoints with code of their own are.
    """

    model: str
    config: Mapping[str, Any] = field(default_factory=dict)
    head: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    named: str | None = None
    tokenizer: Callable[[Path], None] = write_chatml


ARCHITECTURES: dict[str, Recipe] = {
    "llama": Recipe("LlamaForCausalLM"),
    "qwen2": Recipe("Qwen2ForCausalLM"),
    # Mistral's window is shorter than the inputs of the tests; Gemma 2 has soft caps, which the packed pass lacks.
    "mistral": Recipe("MistralForCausalLM", {"sliding_window": 48, "head_dim": 16}),
    "gemma2": Recipe("Gemma2ForCausalLM", {"head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 4096}),
    "qwen3": Recipe("Qwen3ForCausalLM", {"head_dim": 16}),
    "gemma3": Recipe("Gemma3ForCausalLM", {"head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 24}),
    "granite": Recipe("GraniteForCausalLM", {"logits_scaling": 4.0}),
    "cohere": Recipe("CohereForCausalLM", {"logit_scale": 0.25}),
    "qwen2_tokens": Recipe("Qwen2ForTokenClassification", {"num_labels": 2}),
    "llama_reward": Recipe("LlamaForSequenceClassification", {"num_labels": 1}),
}
PUBLISHED: dict[str, Recipe] = {
    "qwen2.5-math-prm": Recipe(
        "Qwen2Model", head=MLP_TO[2], named="Qwen2ForProcessRewardModel", tokenizer=write_tagged_chatml
    ),
    "math-shepherd": Recipe("MistralForCausalLM", METASPACE | {"head_dim": 16}, tokenizer=write_metaspace),
    "er-prm": Recipe("LlamaForCausalLM", tokenizer=write_llama3),
    "rlhflow-prm": Recipe("LlamaForCausalLM", tokenizer=write_llama3),
    "rlhflow-orm": Recipe("LlamaForCausalLM", tokenizer=write_llama3),
    "skywork-o1-open-prm": Recipe(
        "Qwen2Model",
        head={"v_head.summary.weight": (1, HIDDEN), "v_head.summary.bias": (1,)},
        named="Qwen2ForPrmModel",
        tokenizer=write_tagged_chatml,
    ),
    "trl-prm": Recipe("Qwen2ForTokenClassification", {"num_labels": 2}),
    "pure-prm": Recipe("Qwen2ForTokenClassification", {"num_labels": 2}, tokenizer=write_tagged_chatml),
    "prm800k": Recipe("Qwen2ForTokenClassification", {"num_labels": 3}),
    "eurus-prm": Recipe("Qwen2ForCausalLM", tokenizer=write_tagged_chatml),
    "implicit-prm": Recipe("LlamaForCausalLM", tokenizer=write_llama3),
    "reasoneval-7b": Recipe(
        "MistralModel",
        METASPACE | {"head_dim": 16},
        {"score_head.weight": (3, HIDDEN), "score_head.bias": (3,)},
        named="ReasonEval_7B",
        tokenizer=write_metaspace,
    ),
    "reasoneval-34b": Recipe(
        "LlamaModel", METASPACE, {"score_head.weight": (3, HIDDEN)}, named="ReasonEval_34B", tokenizer=write_metaspace
    ),
    "qwen2.5-math-rm": Recipe("Qwen2Model", head=MLP_TO[1], named="Qwen2ForRewardModel", tokenizer=write_tagged_chatml),
    "internlm2-reward": Recipe(
        "LlamaModel",
        head={"v_head.weight": (1, HIDDEN)},
        named="InternLM2ForRewardModel",
        tokenizer=write_tagged_chatml,
    ),
    "openrlhf": Recipe(
        "LlamaModel", head={"score.weight": (1, HIDDEN)}, named="LlamaForSequenceClassification", tokenizer=write_chatml
    ),
    "sequence-classification": Recipe("LlamaForSequenceClassification", {"num_labels": 1}),
}
"""By the name of the built-in profile that reads it."""

FAMILIES = ARCHITECTURES | PUBLISHED


@dataclass(frozen=True)
class TinyCheckpoints:
    """Writes each checkpoint once; tests only read them."""

    root: Path
    written: dict[str, Path] = field(default_factory=dict)

    def __call__(self, family: str, *, seed: int = 0, head_scale: float = 1.0, **changes: Any) -> Path:
        """The directory of that family's checkpoint in fp32, its head's weights multiplied by `head_scale`."""
        key = json.dumps([family, seed, head_scale, changes], sort_keys=True)
        if key not in self.written:
            directory = self.root / f"{family}-{len(self.written)}"
            write_checkpoint(FAMILIES[family], directory, seed, head_scale, changes)
            self.written[key] = directory
        return self.written[key]


def write_checkpoint(
    recipe: Recipe, directory: Path, seed: int, head_scale: float = 1.0, changes: Mapping[str, Any] | None = None
) -> None:
    """Weights are normal with deviation 0.2 in the order of the model's parameters, norms around one."""
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    model_class = getattr(transformers, recipe.model)
    settings = SIZES | dict(recipe.config) | {"tie_word_embeddings": False} | dict(changes or {})
    model = model_class(model_class.config_class(**settings))
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0, 0.2, generator=random)
            if "norm" in name and name.endswith("weight"):
                parameter.add_(1)
            if name.split(".")[0] in ("lm_head", "score"):
                parameter.mul_(head_scale)
    head = {name: torch.empty(shape).normal_(0, 0.2, generator=random) for name, shape in recipe.head.items()}
    outermost = [name for name in head if name.endswith("weight")][-1:]
    head |= {name: head[name] * head_scale for name in outermost}
    if recipe.named is None:
        model.save_pretrained(directory)
    elif recipe.named.startswith("InternLM2"):
        _save_internlm2(model, head, directory)
    else:
        model.config.architectures = [recipe.named]
        _save(
            model.config.to_dict(),
            {f"model.{name}": value for name, value in model.state_dict().items()} | head,
            directory,
        )
    recipe.tokenizer(directory)


def _save(config: dict[str, Any], tensors: dict[str, Any], directory: Path) -> None:
    from safetensors.torch import save_file

    directory.mkdir()
    (directory / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    save_file(
        {name: value.contiguous() for name, value in tensors.items()}, directory / "model.safetensors", {"format": "pt"}
    )


INTERNLM2_NAMES = {
    "embed_tokens": "tok_embeddings",
    "self_attn.o_proj": "attention.wo",
    "mlp.gate_proj": "feed_forward.w1",
    "mlp.up_proj": "feed_forward.w3",
    "mlp.down_proj": "feed_forward.w2",
    "input_layernorm": "attention_norm",
    "post_attention_layernorm": "ffn_norm",
}


def _save_internlm2(model: Any, head: dict[str, Any], directory: Path) -> None:
    """A Llama under InternLM2's names, where one matrix holds, key head by key head, queries, key and value."""
    import torch

    tensors: dict[str, Any] = {}
    config = model.config
    groups, size = config.num_attention_heads // config.num_key_value_heads, HIDDEN // config.num_attention_heads
    for name, value in model.state_dict().items():
        for llama, internlm2 in INTERNLM2_NAMES.items():
            name = name.replace(llama, internlm2)
        tensors[f"model.{name}"] = value
    for layer in range(config.num_hidden_layers):
        prefix = f"model.layers.{layer}"
        query, key, value = (tensors.pop(f"{prefix}.self_attn.{part}_proj.weight") for part in "qkv")
        fused = []
        for kv_head in range(config.num_key_value_heads):
            rows = slice(kv_head * size, (kv_head + 1) * size)
            fused += [query[kv_head * groups * size : (kv_head + 1) * groups * size], key[rows], value[rows]]
        tensors[f"{prefix}.attention.wqkv.weight"] = torch.cat(fused)
    _save(
        {
            "architectures": ["InternLM2ForRewardModel"],
            "model_type": "internlm2",
            "auto_map": {"AutoModel": "modeling_internlm2.InternLM2ForRewardModel"},
            "bias": False,
            "hidden_act": "silu",
            "rms_norm_eps": config.rms_norm_eps,
            "rope_theta": 10_000,
            "rope_scaling": None,
            "reward_token_id": 261,
        }
        | {name: SIZES[name] for name in SIZES},
        tensors | head,
        directory,
    )


def checkpoint_hash(directory: Path) -> str:
    """Over names, shapes and values of all tensors and the tokenizer, 16 hex digits."""
    from safetensors import safe_open

    digest = hashlib.sha256((directory / "tokenizer.json").read_bytes())
    with safe_open(directory / "model.safetensors", framework="np") as weights:
        for name in sorted(weights.keys()):
            tensor = weights.get_tensor(name)
            digest.update(f"{name} {tensor.shape} {tensor.dtype}".encode() + tensor.tobytes())
    return digest.hexdigest()[:16]

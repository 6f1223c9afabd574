"""A llama checkpoint in GGUF, written again as the weights and the configuration that `LlamaForCausalLM` loads.

Importing gguf takes more than a second, as it brings tokenizer libraries along: import this module only to convert.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import gguf
import numpy as np
from numpy.typing import NDArray

from surefoot.errors import CheckpointDamaged

Progress = Callable[[int, int], None]
"""Called with the number of tensors written so far and the number of all tensors."""

QUANTISATIONS = frozenset({"F32", "Q4_1", "Q8_0"})
BYTES_PER_WEIGHT = 2
Value = TypeVar("Value", int, float, str, list[Any])


@dataclass(frozen=True, slots=True)
class LlamaDimensions:
    """The sizes that define a llama model; `context_length` counts tokens."""

    num_layers: int
    hidden_size: int
    intermediate_size: int
    num_heads: int
    num_kv_heads: int
    vocab_size: int
    context_length: int
    rms_norm_eps: float
    rope_theta: float

    @property
    def head_size(self) -> int:
        return self.hidden_size // self.num_heads


@dataclass(frozen=True, slots=True)
class TensorTarget:
    """Name and shape of a tensor after conversion; `rotary_heads` is set where rows have to be reordered."""

    name: str
    shape: tuple[int, ...]
    rotary_heads: int | None = None


def open_gguf(path: Path) -> Any:
    """A `gguf.GGUFReader` over `path`, memory-mapped. Raises `CheckpointDamaged`."""
    try:
        return gguf.GGUFReader(path)
    except Exception as cause:  # the reader has no error of its own: damage surfaces as whatever it breaks first
        raise CheckpointDamaged(f"{path.name} is not a readable GGUF file; obtain the file again") from cause


def read_metadata(reader: Any, key: str, kind: type[Value]) -> Value:
    """The metadata field `key`. Raises `CheckpointDamaged` when it is absent or not of the type `kind`."""
    field = reader.fields.get(key)
    if field is None:
        raise CheckpointDamaged(f"the GGUF file has no metadata field {key}")
    try:
        value = field.contents()
    except UnicodeDecodeError as cause:
        raise CheckpointDamaged(f"the GGUF metadata field {key} is not UTF-8") from cause
    if not isinstance(value, kind):
        raise CheckpointDamaged(f"the GGUF metadata field {key} is of type {type(value).__name__}, not {kind.__name__}")
    return value


def read_dimensions(reader: Any) -> LlamaDimensions:
    """Sizes of the model. Raises `CheckpointDamaged` for another architecture or sizes that do not fit together."""
    architecture = read_metadata(reader, "general.architecture", str)
    if architecture != "llama":
        raise CheckpointDamaged(f"the GGUF field general.architecture is {architecture}; only llama is supported")
    dimensions = LlamaDimensions(
        num_layers=read_metadata(reader, "llama.block_count", int),
        hidden_size=read_metadata(reader, "llama.embedding_length", int),
        intermediate_size=read_metadata(reader, "llama.feed_forward_length", int),
        num_heads=read_metadata(reader, "llama.attention.head_count", int),
        num_kv_heads=read_metadata(reader, "llama.attention.head_count_kv", int),
        vocab_size=read_metadata(reader, "llama.vocab_size", int),
        context_length=read_metadata(reader, "llama.context_length", int),
        rms_norm_eps=shortest_decimal(read_metadata(reader, "llama.attention.layer_norm_rms_epsilon", float)),
        rope_theta=shortest_decimal(read_metadata(reader, "llama.rope.freq_base", float)),
    )
    _check_heads(dimensions)
    _check_rotary(reader, dimensions)
    return dimensions


def shortest_decimal(value: float) -> float:
    """The number that was meant before it was stored in single precision: 9.999999747378752e-06 is 1e-05."""
    return float(str(np.float32(value)))


def _check_heads(dimensions: LlamaDimensions) -> None:
    heads, kv_heads, hidden = dimensions.num_heads, dimensions.num_kv_heads, dimensions.hidden_size
    if min(heads, kv_heads) < 1 or hidden % heads or heads % kv_heads or dimensions.head_size % 2:
        raise CheckpointDamaged(f"{heads} heads and {kv_heads} key-value heads do not divide a hidden size of {hidden}")


def _check_rotary(reader: Any, dimensions: LlamaDimensions) -> None:
    """Only plain rotary embedding over whole heads can be expressed in the configuration that is written."""
    rotated = read_metadata(reader, "llama.rope.dimension_count", int)
    if rotated != dimensions.head_size:
        raise CheckpointDamaged(f"llama.rope.dimension_count is {rotated}, the head size {dimensions.head_size}")
    scaling = next((key for key in reader.fields if key.startswith("llama.rope.scal")), None)
    if scaling is not None:
        raise CheckpointDamaged(f"the GGUF field {scaling} asks for rotary scaling, which is not supported")


def tensor_targets(dimensions: LlamaDimensions) -> dict[str, TensorTarget]:
    """Every tensor of the model by its GGUF name, shapes as (outputs, inputs); the embedding is tied to the output."""
    hidden, inner = dimensions.hidden_size, dimensions.intermediate_size
    heads, kv_heads = dimensions.num_heads, dimensions.num_kv_heads
    keys = kv_heads * dimensions.head_size
    targets = {"token_embd.weight": TensorTarget("model.embed_tokens.weight", (dimensions.vocab_size, hidden))}
    for layer in range(dimensions.num_layers):
        block, module = f"blk.{layer}", f"model.layers.{layer}"
        targets |= {
            f"{block}.attn_norm.weight": TensorTarget(f"{module}.input_layernorm.weight", (hidden,)),
            f"{block}.attn_q.weight": TensorTarget(f"{module}.self_attn.q_proj.weight", (hidden, hidden), heads),
            f"{block}.attn_k.weight": TensorTarget(f"{module}.self_attn.k_proj.weight", (keys, hidden), kv_heads),
            f"{block}.attn_v.weight": TensorTarget(f"{module}.self_attn.v_proj.weight", (keys, hidden)),
            f"{block}.attn_output.weight": TensorTarget(f"{module}.self_attn.o_proj.weight", (hidden, hidden)),
            f"{block}.ffn_norm.weight": TensorTarget(f"{module}.post_attention_layernorm.weight", (hidden,)),
            f"{block}.ffn_gate.weight": TensorTarget(f"{module}.mlp.gate_proj.weight", (inner, hidden)),
            f"{block}.ffn_up.weight": TensorTarget(f"{module}.mlp.up_proj.weight", (inner, hidden)),
            f"{block}.ffn_down.weight": TensorTarget(f"{module}.mlp.down_proj.weight", (hidden, inner)),
        }
    targets["output_norm.weight"] = TensorTarget("model.norm.weight", (hidden,))
    return targets


def check_tensors(reader: Any, targets: Mapping[str, TensorTarget]) -> None:
    """Raises `CheckpointDamaged` unless the file holds exactly `targets`, in their shapes and known quantisations."""
    found = {tensor.name: tensor for tensor in reader.tensors}
    if differing := sorted(found.keys() ^ targets.keys()):
        word = "lacks" if differing[0] in targets else "has the unsupported"
        raise CheckpointDamaged(f"the GGUF file {word} tensor {differing[0]} ({len(differing)} such differences)")
    for name, tensor in found.items():
        if tensor.tensor_type.name not in QUANTISATIONS:
            supported = ", ".join(sorted(QUANTISATIONS))
            raise CheckpointDamaged(f"tensor {name} is in {tensor.tensor_type.name}; supported are {supported}")
        shape = tuple(reversed(tensor.shape.tolist()))
        if shape != targets[name].shape:
            raise CheckpointDamaged(f"tensor {name} has the shape {shape}, expected {targets[name].shape}")


def undo_rotary_permutation(weight: NDArray[np.float32], num_heads: int) -> NDArray[np.float32]:
    """Rows of a query or key projection in the order of Hugging Face's rotary embedding; the shape stays.

    llama.cpp rotates neighbouring rows (2i, 2i + 1) of a head of size d and its files are reordered for that; Hugging
    Face rotates the rows (i, i + d/2).
    """
    rows, columns = weight.shape
    pairs = weight.reshape(num_heads, rows // num_heads // 2, 2, columns)
    return pairs.swapaxes(1, 2).reshape(rows, columns)


def bfloat16_bytes(tensor: Any, target: TensorTarget) -> bytes:
    """The dequantised tensor in bf16 (nearest, ties to even), row by row. Raises `CheckpointDamaged`."""
    weight = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32, copy=False)
    if not np.isfinite(weight).all():
        raise CheckpointDamaged(f"tensor {tensor.name} holds values that are not finite")
    if target.rotary_heads is not None:
        weight = undo_rotary_permutation(weight, target.rotary_heads)
    quantised: NDArray[np.uint8] = gguf.quantize(np.ascontiguousarray(weight), gguf.GGMLQuantizationType.BF16)
    return quantised.tobytes()


def weights_size(targets: Mapping[str, TensorTarget]) -> int:
    """Bytes that the converted weights take."""
    return sum(math.prod(target.shape) for target in targets.values()) * BYTES_PER_WEIGHT


def write_safetensors(path: Path, reader: Any, targets: Mapping[str, TensorTarget], progress: Progress) -> None:
    """Write all tensors in bf16, one after the other.

    The format (eight bytes of header length, a JSON header, the data) is written here because the library wants every
    tensor in memory at once and hides the reason of a failed write.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for target in targets.values():
        start, end = end, end + math.prod(target.shape) * BYTES_PER_WEIGHT
        header[target.name] = {"dtype": "BF16", "shape": target.shape, "data_offsets": (start, end)}
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for num_done, (name, target) in enumerate(targets.items(), start=1):
            file.write(bfloat16_bytes(tensors[name], target))
            progress(num_done, len(targets))


def llama_config(dimensions: LlamaDimensions, token_ids: Mapping[str, int]) -> dict[str, Any]:
    """`config.json`. `token_ids` are its `bos_token_id`, `eos_token_id` and `pad_token_id`."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        # The older spellings of dtype and rotary base: every reader knows them, none may fall back to its default.
        "torch_dtype": "bfloat16",
        "rope_theta": dimensions.rope_theta,
        "hidden_size": dimensions.hidden_size,
        "intermediate_size": dimensions.intermediate_size,
        "num_hidden_layers": dimensions.num_layers,
        "num_attention_heads": dimensions.num_heads,
        "num_key_value_heads": dimensions.num_kv_heads,
        "vocab_size": dimensions.vocab_size,
        "max_position_embeddings": dimensions.context_length,
        "rms_norm_eps": dimensions.rms_norm_eps,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        **token_ids,
    }

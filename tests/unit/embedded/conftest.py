"""A llama checkpoint of two layers in GGUF, written with the llama.cpp project's own writer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from tokenizers.pre_tokenizers import ByteLevel

from surefoot.embedded.base_model import prepare_base

LAYERS, HIDDEN, INNER, HEADS, KV_HEADS, CONTEXT = 2, 64, 96, 4, 2, 128
HEAD_SIZE = HIDDEN // HEADS
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
BYTE_WITHOUT_TOKEN = "\x04"
MERGES = ["1 2", "h e", "Ġ 7", "Ġ he"]
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_level_tokens() -> list[str]:
    alphabet = sorted(set(ByteLevel.alphabet()) - {chr(256 + ord(BYTE_WITHOUT_TOKEN))})
    return [*SPECIALS, *alphabet, *(merge.replace(" ", "") for merge in MERGES)]


def reordered_for_llama_cpp(weight: np.ndarray, num_heads: int) -> np.ndarray:
    """Row 2i + h of a head is Hugging Face's row h·d/2 + i, written out row by row."""
    reordered = weight.copy()
    for head in range(num_heads):
        for pair in range(HEAD_SIZE // 2):
            for half in range(2):
                reordered[head * HEAD_SIZE + 2 * pair + half] = weight[head * HEAD_SIZE + half * HEAD_SIZE // 2 + pair]
    return reordered


def original_weights(vocab_size: int) -> dict[str, np.ndarray]:
    """Weights by GGUF name, rows in Hugging Face's order."""
    random = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {"token_embd": (vocab_size, HIDDEN), "output_norm": (HIDDEN,)}
    for layer in range(LAYERS):
        shapes |= {
            f"blk.{layer}.attn_norm": (HIDDEN,),
            f"blk.{layer}.attn_q": (HIDDEN, HIDDEN),
            f"blk.{layer}.attn_k": (KV_HEADS * HEAD_SIZE, HIDDEN),
            f"blk.{layer}.attn_v": (KV_HEADS * HEAD_SIZE, HIDDEN),
            f"blk.{layer}.attn_output": (HIDDEN, HIDDEN),
            f"blk.{layer}.ffn_norm": (HIDDEN,),
            f"blk.{layer}.ffn_gate": (INNER, HIDDEN),
            f"blk.{layer}.ffn_up": (INNER, HIDDEN),
            f"blk.{layer}.ffn_down": (HIDDEN, INNER),
        }
    weights = {name: random.normal(0, 0.2, shape).astype(np.float32) for name, shape in shapes.items()}
    return {f"{name}.weight": 1 + w if w.ndim == 1 else w for name, w in weights.items()}


@dataclass(frozen=True)
class TinyLlama:
    """What to write; tests replace one part to describe a file that must be refused."""

    architecture: str = "llama"
    pre_tokenizer: str = "smollm"
    tokens: list[str] = field(default_factory=byte_level_tokens)
    merges: list[str] = field(default_factory=lambda: list(MERGES))
    eos_token_id: int = 2
    rotated_dimensions: int = HEAD_SIZE
    rope_scaling: bool = False
    matrix_type: str = "Q4_1"
    weights: dict[str, np.ndarray] = field(default_factory=lambda: original_weights(len(byte_level_tokens())))

    def quantisation(self, name: str) -> gguf.GGMLQuantizationType:
        if self.weights[name].ndim == 1:
            return gguf.GGMLQuantizationType.F32
        return gguf.GGMLQuantizationType["Q8_0" if name.startswith("token_embd") else self.matrix_type]

    def dequantised_weights(self) -> dict[str, np.ndarray]:
        """`weights` after the loss of quantisation; blocks lie within rows, so the order of rows does not matter."""
        return {
            name: gguf.dequantize(gguf.quantize(weight, self.quantisation(name)), self.quantisation(name))
            for name, weight in self.weights.items()
        }

    def write(self, path: Path) -> Path:
        writer = gguf.GGUFWriter(path, self.architecture)
        self._add_sizes(writer)
        self._add_tokenizer(writer)
        for name, weight in self.weights.items():
            kind = self.quantisation(name)
            heads = {"attn_q": HEADS, "attn_k": KV_HEADS}.get(name.split(".")[-2])
            stored = weight if heads is None else reordered_for_llama_cpp(weight, heads)
            writer.add_tensor(name, gguf.quantize(stored, kind), raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    def _add_sizes(self, writer: Any) -> None:
        writer.add_block_count(LAYERS)
        writer.add_embedding_length(HIDDEN)
        writer.add_feed_forward_length(INNER)
        writer.add_head_count(HEADS)
        writer.add_head_count_kv(KV_HEADS)
        writer.add_vocab_size(len(byte_level_tokens()))
        writer.add_context_length(CONTEXT)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_rope_freq_base(100000.0)
        writer.add_rope_dimension_count(self.rotated_dimensions)
        if self.rope_scaling:
            writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)

    def _add_tokenizer(self, writer: Any) -> None:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(self.pre_tokenizer)
        writer.add_token_list(self.tokens)
        writer.add_token_types([3 if token in SPECIALS else 1 for token in self.tokens])
        writer.add_token_merges(self.merges)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(self.eos_token_id)
        writer.add_unk_token_id(0)
        writer.add_pad_token_id(2)
        writer.add_chat_template(CHAT_TEMPLATE)


@pytest.fixture(scope="session")
def tiny() -> TinyLlama:
    return TinyLlama()


@pytest.fixture(scope="session")
def tiny_gguf(tiny: TinyLlama, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("source") / "tiny.gguf")


@pytest.fixture
def gguf_with(tiny: TinyLlama, tmp_path: Path) -> Callable[..., Path]:
    """Write the tiny model with some of its parts replaced."""
    return lambda **changes: replace(tiny, **changes).write(tmp_path / "changed.gguf")


@pytest.fixture(scope="session")
def prepared(tiny_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as prepared for use; tests only read it."""
    return prepare_base(tmp_path_factory.mktemp("cache"), source=tiny_gguf)


@pytest.fixture
def warnings_logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Messages that surefoot logged at warning or above."""
    caplog.set_level(logging.WARNING, logger="surefoot")
    return lambda: [record.getMessage() for record in caplog.records if record.name.startswith("surefoot")]

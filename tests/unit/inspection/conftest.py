"""Checkpoints that are all header: configuration, tensor names and sizes, and a file with nothing behind them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from surefoot.inspection import Contents, read_contents

HIDDEN = 64
TRUNK = {
    "model.embed_tokens.weight": (320, HIDDEN),
    "model.layers.0.self_attn.q_proj.weight": (HIDDEN, HIDDEN),
    "model.layers.0.mlp.gate.weight": (8, HIDDEN),
    "model.norm.weight": (HIDDEN,),
}
CONFIG = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": HIDDEN,
    "max_position_embeddings": 8192,
    "torch_dtype": "bfloat16",
}
_MLP = {"score.0.weight": (HIDDEN, HIDDEN), "score.0.bias": (HIDDEN,)}
SORTS: Mapping[str, tuple[str, Mapping[str, tuple[int, ...]], Mapping[str, Any]]] = {
    "process_mlp_head": ("Qwen2ForProcessRewardModel", {**_MLP, "score.2.weight": (2, HIDDEN)}, {}),
    "outcome_mlp_head": ("Qwen2ForRewardModel", {**_MLP, "score.2.weight": (1, HIDDEN)}, {}),
    "summary_value_head": ("Qwen2ForPrmModel", {"v_head.summary.weight": (1, HIDDEN)}, {}),
    "reward_token_head": ("InternLM2ForRewardModel", {"v_head.weight": (1, HIDDEN)}, {}),
    "three_class_step_head": ("ReasonEval_7B", {"score_head.weight": (3, HIDDEN)}, {}),
    "two_class_tokens": ("Qwen2ForTokenClassification", {"score.weight": (2, HIDDEN)}, {"num_labels": 2}),
    "three_class_tokens": ("Qwen2ForTokenClassification", {"score.weight": (3, HIDDEN)}, {"num_labels": 3}),
    "regression_head": ("RewardModel", {"score.weight": (1, HIDDEN)}, {"value_head_prefix": "score"}),
    "sequence_classifier": ("LlamaForSequenceClassification", {"score.weight": (1, HIDDEN)}, {"num_labels": 1}),
    "language_model": ("LlamaForCausalLM", {"lm_head.weight": (320, HIDDEN)}, {}),
}
"""By finding: the class in config.json, the tensors beside the trunk's, and what else config.json holds."""


def header_file(path: Path, tensors: Mapping[str, tuple[int, ...]], *, scale: int = 1) -> None:
    """A sparse safetensors file of bf16 tensors, each `scale` times as large as its first dimension says."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, (rows, *rest) in tensors.items():
        shape, size = [rows * scale, *rest], 2 * scale * rows
        for dimension in rest:
            size *= dimension
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with path.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        stream.truncate(8 + len(text) + end)


@pytest.fixture
def write_header() -> Callable[..., None]:
    """`header_file`."""
    return header_file


@pytest.fixture
def directory(tmp_path: Path) -> Callable[..., Path]:
    """Writes a checkpoint: a trunk, the given tensors beside it, and `CONFIG` with changes; `tensors=None` has none."""

    def write(tensors: Mapping[str, tuple[int, ...]] | None = None, **config: Any) -> Path:
        (tmp_path / "config.json").write_text(json.dumps(CONFIG | config))
        if tensors is not None:
            header_file(tmp_path / "model.safetensors", TRUNK | dict(tensors))
        return tmp_path

    return write


@pytest.fixture
def contents(directory: Callable[..., Path]) -> Callable[..., Contents]:
    """Reads what `directory` writes."""
    return lambda tensors=None, **config: read_contents(directory(tensors, **config))


@pytest.fixture
def sort_of(contents: Callable[..., Contents]) -> Callable[..., Contents]:
    """The checkpoint that shows a finding; with `is_pickled` its tensors cannot be seen."""

    def make(finding: str, *, is_pickled: bool = False, **config: Any) -> Contents:
        architecture, tensors, extras = SORTS[finding]
        return contents(None if is_pickled else tensors, architectures=[architecture], **extras | config)

    return make

"""What a checkpoint directory holds, as far as configuration, headers and file names tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surefoot.errors import CheckpointMissing
from surefoot.inspection.checkpoint_files import read_json_object
from surefoot.inspection.heads import FoundHead, find_heads
from surefoot.inspection.tensor_index import TensorInfo, read_index

_POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len")
_HIDDEN = ("hidden_size", "n_embd", "d_model")


@dataclass(frozen=True, slots=True)
class Contents:
    """A checkpoint from outside. `config` is config.json's language model part, empty for a bare adapter;
    `tensors` is `None` where no safetensors are there, so that nothing can be known without loading."""

    path: Path
    architectures: tuple[str, ...]
    model_type: str
    config: Mapping[str, Any]
    tensors: Mapping[str, TensorInfo] | None
    heads: tuple[FoundHead, ...]
    pickle_files: tuple[str, ...]
    code_classes: tuple[str, ...]
    adapter_base: str | None

    @property
    def hidden_size(self) -> int | None:
        return _first_int(self.config, _HIDDEN)

    @property
    def max_positions(self) -> int | None:
        """Tokens of context."""
        return _first_int(self.config, _POSITIONS)

    @property
    def rope_scaling(self) -> str | None:
        """How positions are stretched, `yarn, factor 4`; `None` where they are not."""
        scaling = self.config.get("rope_scaling") or self.config.get("rope_parameters") or {}
        kind = scaling.get("rope_type", scaling.get("type", "default")) if isinstance(scaling, Mapping) else "default"
        return None if kind == "default" else ", ".join([kind, *_factor(scaling)])

    @property
    def dtype(self) -> str | None:
        """The type that config.json names."""
        named = self.config.get("dtype") or self.config.get("torch_dtype")
        return None if named is None else str(named)

    @property
    def stored_dtype(self) -> str | None:
        """The type of most of the stored bytes."""
        sizes: Counter[str] = Counter()
        for info in (self.tensors or {}).values():
            sizes[info.dtype] += info.num_bytes
        return sizes.most_common(1)[0][0] if sizes else None

    @property
    def num_labels(self) -> int | None:
        labels = self.config.get("id2label")
        return len(labels) if isinstance(labels, Mapping) else _first_int(self.config, ("num_labels",))

    @property
    def labels(self) -> tuple[str, ...]:
        """What config.json calls the columns."""
        labels = self.config.get("id2label")
        return tuple(map(str, labels.values())) if isinstance(labels, Mapping) else ()

    @property
    def num_parameters(self) -> int | None:
        return None if self.tensors is None else sum(info.num_parameters for info in self.tensors.values())

    @property
    def num_bytes(self) -> int | None:
        return None if self.tensors is None else sum(info.num_bytes for info in self.tensors.values())


def read_contents(path: Path) -> Contents:
    """What is in the directory. Raises `CheckpointMissing` and `CheckpointDamaged`, naming the file and the way out."""
    if not path.is_dir():
        raise CheckpointMissing(f"model directory {path} does not exist", param="path")
    adapter = read_json_object(path / "adapter_config.json")
    whole = read_json_object(path / "config.json")
    if whole is None and adapter is None:
        raise CheckpointMissing(f"{path} has no config.json: it is not a Hugging Face checkpoint", param="path")
    config = whole or {}
    tensors = read_index(path)
    inner = config.get("text_config")
    code = config.get("auto_map")
    return Contents(
        path=path,
        architectures=tuple(map(str, config.get("architectures") or ())),
        model_type=str(config.get("model_type", "")),
        config=config | inner if isinstance(inner, dict) else config,
        tensors=tensors,
        heads=find_heads(tensors or {}),
        pickle_files=tuple(sorted(file.name for file in path.glob("pytorch_model*.bin"))),
        code_classes=tuple(map(str, code.values())) if isinstance(code, Mapping) else (),
        adapter_base=None if adapter is None else str(adapter.get("base_model_name_or_path") or "an unnamed model"),
    )


def _first_int(config: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    return next((config[name] for name in names if isinstance(config.get(name), int)), None)


def _factor(scaling: Mapping[str, Any]) -> list[str]:
    return [f"factor {scaling['factor']:g}"] if isinstance(scaling.get("factor"), (int, float)) else []

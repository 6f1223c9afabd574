"""Random checkpoints in the shapes of published models, for measuring at their size what no download is needed for.

The weights say nothing about any problem, but they are the same for all peers, whose scores can thus be compared. Each
tensor is drawn by itself in bf16 and let go once its shard is written, so that no more than a shard is ever held.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from loadtests.comparison.merged_checkpoint import Checkpoints, contrasted_words, copy_tokenizer
from loadtests.servers.surefoot_server import scorer, write_scorer

_DIMENSIONS = ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size")
SHAPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # Heads of 64: vLLM's kernels on a CPU know few sizes.
        "tiny": dict(zip(_DIMENSIONS, (256, 2, 4, 2, 512), strict=True)) | {"tie_word_embeddings": True},
        "1.5b": dict(zip(_DIMENSIONS, (1536, 28, 12, 2, 8960), strict=True)) | {"tie_word_embeddings": True},
        "7b": dict(zip(_DIMENSIONS, (3584, 28, 28, 4, 18944), strict=True)) | {"tie_word_embeddings": False},
    }
)
"""Of Qwen2.5 at that size, but for the vocabulary, which is the embedded model's."""

SHARD_BYTES = 4 * 2**30
INDEX = "model.safetensors.index.json"
_BYTES_PER_WEIGHT = 2
_BESIDE_WEIGHTS_BYTES = 2**30
"""Two copies of the tokenizer, workloads, and what peers write."""


class ScratchTooSmall(Exception):
    """The weights do not fit where scratch files go."""


def random_checkpoints(shape: str, base: Path, out: Path, *, seed: int, device: str) -> Checkpoints:
    """Write both forms of a checkpoint with the tokenizer of `base` under `out`; they share the files of the trunk.

    Equal seeds give equal weights on one kind of device; a CUDA device draws others than a CPU does, and faster. Raises
    `ScratchTooSmall`.
    """
    import torch

    config = qwen2_config(shape, base)
    names = parameter_shapes(config)
    num_weights = sum(map(math.prod, names.values()))
    _require_space(out, num_weights * _BYTES_PER_WEIGHT + _BESIDE_WEIGHTS_BYTES)
    causal, classifier = out / "causal", out / "classifier"
    words = contrasted_words(base)
    for directory in (causal, classifier):
        directory.mkdir()
        copy_tokenizer(base, directory)
    where = device if torch.cuda.is_available() else "cpu"
    rows = _write_causal(causal, names, words, torch.Generator(where).manual_seed(seed))
    _save_config(config, "Qwen2ForCausalLM", causal)
    _write_classifier(classifier, causal, rows)
    config.num_labels = 2
    _save_config(config, "Qwen2ForTokenClassification", classifier)
    write_scorer(causal, scorer(str(causal)))
    title = f"random Qwen2 in the {shape} shape, {num_weights / 1e6:,.0f} million weights, no adapter"
    return Checkpoints(causal, classifier, words, title)


def qwen2_config(shape: str, base: Path) -> Any:
    """The configuration of transformers for a shape with the vocabulary and the special tokens of `base`."""
    from transformers import Qwen2Config

    own = json.loads((base / "config.json").read_text(encoding="utf-8"))
    kept = ("vocab_size", "max_position_embeddings", "bos_token_id", "eos_token_id", "pad_token_id")
    return Qwen2Config(**SHAPES[shape], **{name: own[name] for name in kept})


def parameter_shapes(config: Any) -> dict[str, tuple[int, ...]]:
    """Every parameter of the language model, none of them made; an output layer that is tied is none."""
    import torch
    from transformers import Qwen2ForCausalLM

    with torch.device("meta"):
        return {name: tuple(each.shape) for name, each in Qwen2ForCausalLM(config).named_parameters()}


def _write_causal(directory: Path, names: Mapping[str, tuple[int, ...]], words: tuple[int, int], random: Any) -> Any:
    """Draw and write the language model; returns the output layer's rows of the words, the negative one first."""
    output = "lm_head.weight" if "lm_head.weight" in names else "model.embed_tokens.weight"
    positive, negative = words
    placed: dict[str, str] = {}
    rows = None
    for number, shard in enumerate(_shards(names), start=1):
        file = f"model-{number:05}.safetensors"
        tensors = {name: _drawn(name, names[name], random) for name in shard}
        if output in tensors:
            rows = tensors[output][[negative, positive]].clone()
        _save_tensors(tensors, directory / file)
        placed |= dict.fromkeys(tensors, file)
    _save_index(placed, directory)
    return rows


def _shards(names: Mapping[str, tuple[int, ...]]) -> Iterator[list[str]]:
    """The trunk in files of `SHARD_BYTES` at most, then what is beside it, which the classifier does not share."""
    shard: list[str] = []
    size = 0
    beside = [name for name in names if not name.startswith("model.")]
    for name in (name for name in names if name not in beside):
        own = math.prod(names[name]) * _BYTES_PER_WEIGHT
        if shard and size + own > SHARD_BYTES:
            yield shard
            shard, size = [], 0
        shard.append(name)
        size += own
    yield shard
    if beside:
        yield beside


def _drawn(name: str, shape: tuple[int, ...], random: Any) -> Any:
    """Norms are ones. The rest falls with the number of inputs, so that scores spread at every size."""
    import torch

    made = torch.empty(shape, dtype=torch.bfloat16, device=random.device)
    return made.fill_(1) if name.endswith("norm.weight") else made.normal_(0, shape[-1] ** -0.5, generator=random)


def _write_classifier(directory: Path, causal: Path, rows: Any) -> None:
    """Links to the trunk, and the rows of the words as the head of a token classification."""
    import torch

    head = "score.safetensors"
    _save_tensors({"score.weight": rows, "score.bias": torch.zeros(2, dtype=rows.dtype)}, directory / head)
    causal_files = json.loads((causal / INDEX).read_text(encoding="utf-8"))["weight_map"]
    trunk = {name: file for name, file in causal_files.items() if name.startswith("model.")}
    for file in set(trunk.values()):
        (directory / file).symlink_to((causal / file).resolve())
    _save_index(trunk | {"score.weight": head, "score.bias": head}, directory)


def _save_tensors(tensors: Mapping[str, Any], file: Path) -> None:
    from safetensors.torch import save_file

    save_file(dict(tensors), file, {"format": "pt"})


def _save_index(placed: Mapping[str, str], directory: Path) -> None:
    sizes = {file: (directory / file).stat().st_size for file in set(placed.values())}
    index = {"metadata": {"total_size": sum(sizes.values())}, "weight_map": placed}
    (directory / INDEX).write_text(json.dumps(index, indent=1), encoding="utf-8")


def _save_config(config: Any, architecture: str, directory: Path) -> None:
    import torch

    config.architectures, config.dtype = [architecture], torch.bfloat16
    config.save_pretrained(directory)


def _require_space(directory: Path, needed: int) -> None:
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise ScratchTooSmall(
            f"--shape needs {needed / 2**30:.1f} GiB of scratch space, {directory} has {free / 2**30:.1f} free: "
            "set TMPDIR to a directory on a larger disk"
        )

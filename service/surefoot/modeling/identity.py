"""Names for what computes a score: `base_id` for weights and tokenizer, `fingerprint` for everything that matters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers

from surefoot.domain import DtypeName
from surefoot.modeling.base_id import base_id
from surefoot.modeling.checkpoint import Checkpoint, dtype_name
from surefoot.profiles import Profile


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """What the scores of an engine depend on, its profile apart. `versions` are those of the libraries that compute.

    `adapter` names the values of the adapter that changes the base, where there is one.
    """

    base_id: str
    config_hash: str
    dtype: DtypeName
    device: str
    backend: str
    versions: Mapping[str, str]
    adapter: str | None = None

    def fingerprint(self, profile: Profile) -> str:
        """Equal fingerprints promise scores that are equal within the profile's tolerance, 16 hex digits."""
        parts = {
            "base": self.base_id,
            "config": self.config_hash,
            # Pinned scores say what comes out; they change nothing about it.
            "profile": profile.model_dump(mode="json", exclude={"golden"}),
            "dtype": self.dtype,
            "device": self.device.partition(":")[0],
            "backend": self.backend,
            **self.versions,
        }
        if self.adapter is not None:
            parts["adapter"] = self.adapter
        return _digest(json.dumps(parts, sort_keys=True))[:16]


def config_hash(path: Path) -> str:
    """Hash of a checkpoint's config.json."""
    return hashlib.sha256((path / "config.json").read_bytes()).hexdigest()


def identity_of(checkpoint: Checkpoint, *further: Checkpoint, cache: Path | None = None) -> EngineIdentity:
    """The identity of checkpoints that transformers runs in process; their order matters.

    `cache` is where hashes of large checkpoints are remembered.
    """
    every = (checkpoint, *further)
    return EngineIdentity(
        base_id=_joined([base_id(one.path, cache=cache, allow=one.allow) for one in every])[:16],
        config_hash=_joined([config_hash(one.path) for one in every]),
        dtype=dtype_name(checkpoint.dtype),
        device=str(checkpoint.device),
        backend="transformers",
        versions={"torch": torch.__version__, "transformers": transformers.__version__},
    )


def _joined(hashes: list[str]) -> str:
    """The hash of one checkpoint as it is, of several that of all."""
    return hashes[0] if len(hashes) == 1 else _digest(" ".join(hashes))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

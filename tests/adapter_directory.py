"""Adapters for tiny checkpoints, in a directory whose content a test replaces."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from surefoot.profiles.library import profile_text

LAYER = "base_model.model.model.layers.1.mlp.up_proj"


class AdapterDirectory:
    """A directory whose adapter a test replaces: one of a seed, or one that is broken in some way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        (path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 4}))
        self.set_profile("embedded-prm")

    def set_profile(self, name: str, *changes: tuple[str, str]) -> None:
        """A built-in profile, with text in it replaced."""
        text = profile_text(name)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (self.path / "profile.toml").write_text(text, encoding="utf-8")

    def put(self, seed: int, *, inputs: int = 64, factor: float = 1.0) -> None:
        """Random values for one layer; one with other `inputs` than 64 does not fit."""
        random = torch.Generator().manual_seed(seed)
        weights = {
            f"{LAYER}.lora_A.weight": torch.randn(2, inputs, generator=random) * factor,
            f"{LAYER}.lora_B.weight": torch.randn(96, 2, generator=random),
        }
        save_file(weights, self.path / "adapter_model.safetensors")

    def cut_weights(self) -> None:
        file = self.path / "adapter_model.safetensors"
        file.write_bytes(file.read_bytes()[:-8])

    def claim_base(self, base_id: str) -> None:
        """Have the adapter say that it was trained for that base."""
        (self.path / "surefoot.json").write_text(json.dumps({"base_id": base_id}))

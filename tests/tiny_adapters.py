"""Adapters of tiny checkpoints, as peft writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM


def write_tiny_adapter(base: Path, directory: Path, *, facts: Mapping[str, Any] | None = None) -> Path:
    """Write an adapter of rank 4 that changes much, the same at every call; `facts` go into surefoot.json."""
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "up_proj"], task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), config)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_(0, 0.3, generator=random)
    model.save_pretrained(str(directory))
    if facts is not None:
        (directory / "surefoot.json").write_text(json.dumps(facts), encoding="utf-8")
    return directory

"""A checkpoint's config.json as transformers reads it, refused with its name where nothing here can run it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import transformers
from transformers import CONFIG_MAPPING, AutoConfig

from surefoot.errors import CheckpointDamaged, CheckpointRefused
from surefoot.inspection.checkpoint_files import Permission
from surefoot.modeling import internlm2


def needs_remote_code(config_json: Mapping[str, Any]) -> bool:
    """Whether the checkpoint's own Python code alone could run it."""
    model_type = config_json.get("model_type")
    return "auto_map" in config_json and model_type != internlm2.MODEL_TYPE and model_type not in CONFIG_MAPPING


def read_config(path: Path, config_json: Mapping[str, Any], allow: Collection[Permission] = ()) -> Any:
    """The configuration in the form of transformers, for InternLM2 that of the equal Llama.

    Raises `CheckpointRefused` where the checkpoint's own code would be needed and is not allowed, and
    `CheckpointDamaged` for a model type that is unknown and for values that the type cannot have.
    """
    model_type = config_json.get("model_type")
    if model_type == internlm2.MODEL_TYPE:
        return internlm2.llama_config(config_json)
    remote = needs_remote_code(config_json)
    if remote and "remote_code" not in allow:
        raise CheckpointRefused(
            f"{path} is of model_type {model_type!r}, which transformers {transformers.__version__} does not know; it "
            'brings Python code of its own (auto_map), which runs only with allow = ["remote_code"] for this model: '
            "read that code before you set it",
            param="allow",
        )
    if not remote and model_type not in CONFIG_MAPPING:
        near = get_close_matches(str(model_type), [internlm2.MODEL_TYPE, *CONFIG_MAPPING.keys()], n=3)
        raise CheckpointDamaged(
            f"{path / 'config.json'} has model_type {model_type!r}, none of the {len(CONFIG_MAPPING) + 1} that are "
            f"known here (transformers {transformers.__version__})"
            + (f"; near to it are {', '.join(near)}" if near else "")
            + ": correct it, or update transformers",
            param="path",
        )
    try:
        return AutoConfig.from_pretrained(str(path), local_files_only=True, trust_remote_code=remote)
    except Exception as cause:  # a configuration's class may raise anything over a value
        raise CheckpointDamaged(
            f"{path / 'config.json'} cannot be used: {str(cause).strip()[:300]}; copy it again", param="path"
        ) from cause

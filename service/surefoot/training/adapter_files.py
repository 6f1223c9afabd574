"""A trained adapter as files: peft's own two, how it was made, and the profile that serves it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import save

from surefoot.evaluation.calibration_report import profile_toml
from surefoot.modeling.adapters import CONFIG, FACTS, WEIGHTS
from surefoot.profiles import Profile
from surefoot.training.lora import AdaptedModel
from surefoot.training.run_state import write_whole

PROFILE = "profile.toml"
_TRAINED = "-trained"


def write_adapter(
    directory: Path,
    model: AdaptedModel,
    weights: Mapping[str, torch.Tensor],
    profile: Profile | None,
    facts: Mapping[str, Any],
) -> None:
    """Write all files into `directory`; `facts` say how the adapter was made, by a `command` among others.

    Each file is replaced as a whole. The facts come last and name the weights by their hash, so that those of two runs
    are never taken for one. Raises `OSError`.
    """
    content = save(dict(weights), metadata={"format": "pt"})
    write_whole(directory / WEIGHTS, content)
    write_whole(directory / CONFIG, _config(model))
    if profile is not None:
        write_whole(directory / PROFILE, profile_toml(trained_profile(profile), facts["command"]).encode())
    told = {**facts, "sha256": hashlib.sha256(content).hexdigest()}
    write_whole(directory / FACTS, _json(told))


def trained_profile(profile: Profile) -> Profile:
    """The profile under a name that says so, without the notice that the model is untrained, and without golden
    scores, which were the base's."""
    values = profile.model_dump(exclude_unset=True, exclude={"golden", "trained", "notice"})
    return Profile.model_validate({**values, "name": f"{profile.name.removesuffix(_TRAINED)}{_TRAINED}"})


def _config(model: AdaptedModel) -> bytes:
    """peft's configuration, the same from run to run: the base is known by its hash, not by where it lay."""
    with TemporaryDirectory() as directory:
        model.write_config(Path(directory))
        config = json.loads((Path(directory) / CONFIG).read_text(encoding="utf-8"))
    return _json({**config, "base_model_name_or_path": None, "target_modules": sorted(config["target_modules"])})


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()

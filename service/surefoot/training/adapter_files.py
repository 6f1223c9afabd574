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
from surefoot.whole_file import write_whole

PROFILE = "profile.toml"
_TRAINED = "-trained"

_OF_THE_FORM = ("base_id", "lora", "profile", "preface", "stored_as")
"""What surefoot.json says of how an adapter is served, and not of how it was trained."""


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
    served_by = None if profile is None else profile_toml(trained_profile(profile), facts["command"]).encode()
    _write(directory, weights, _config(model), served_by, facts)


def write_averaged(directory: Path, weights: Mapping[str, torch.Tensor], like: Path, facts: Mapping[str, Any]) -> None:
    """Write weights that were made of those of the adapter in `like`, stored and served as that one; `facts` replace
    what it says of how it was made. Raises `OSError`."""
    theirs = json.loads((like / FACTS).read_text(encoding="utf-8")) if (like / FACTS).exists() else {}
    served_by = (like / PROFILE).read_bytes() if (like / PROFILE).exists() else None
    stored = {name: tensor.to(getattr(torch, theirs.get("stored_as", "float32"))) for name, tensor in weights.items()}
    kept = {name: theirs[name] for name in _OF_THE_FORM if name in theirs}
    _write(directory, stored, (like / CONFIG).read_bytes(), served_by, {**kept, **facts})


def _write(
    directory: Path,
    weights: Mapping[str, torch.Tensor],
    config: bytes,
    served_by: bytes | None,
    facts: Mapping[str, Any],
) -> None:
    content = save(dict(weights), metadata={"format": "pt"})
    write_whole(directory / WEIGHTS, content)
    write_whole(directory / CONFIG, config)
    if served_by is not None:
        write_whole(directory / PROFILE, served_by)
    write_whole(directory / FACTS, _json({**facts, "sha256": hashlib.sha256(content).hexdigest()}))


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

"""Inspection with the tokenizer that serves, and the profile of a model that was configured without one."""

from __future__ import annotations

import logging
from pathlib import Path

from surefoot.errors import CheckpointDamaged, ProfileAmbiguous, ProfileInvalid
from surefoot.inspection import (
    Candidate,
    Inspection,
    check_checkpoint,
    check_profile,
    detect,
    read_contents,
)
from surefoot.ports import Tokenizer
from surefoot.profiles import Profile, builtin_names, load_profile
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.sources import checkpoint_directory

log = logging.getLogger(__name__)


def inspect_checkpoint(directory: Path, profile: str | None = None) -> Inspection:
    """What the directory holds, which profiles can read it, and how it fits `profile`, or else the one detected.

    Blocking, for seconds. Raises `CheckpointMissing` or `CheckpointDamaged` where config.json or a header cannot be
    read, and `ProfileInvalid` for a profile that is none.
    """
    wanted = None if profile is None else load_profile(profile)
    contents = read_contents(directory)
    tokenizer, fault = _tokenizer_of(directory)
    detection = detect(contents, tokenizer)
    name = detection.candidates[0].profile if profile is None and detection.verdict == "one" else profile
    read_with = load_profile(name) if wanted is None and name is not None else wanted
    checks = check_checkpoint(contents, is_known_model_type=_is_known(contents.model_type), tokenizer_fault=fault) + (
        () if read_with is None else check_profile(contents, read_with, tokenizer)
    )
    return Inspection(contents, detection, name, checks)


def profile_of(model: ModelSettings, settings: Settings) -> Profile:
    """The profile that the settings name, or with `auto` the one that the checkpoint shows; then blocking.

    Raises `ProfileInvalid` (there is no such one, or none reads the checkpoint), `ProfileAmbiguous` (it could be one of
    several, which are named) and what `inspect_checkpoint` and `checkpoint_directory` raise.
    """
    if not model.detects_profile:
        return load_profile(model.profile)
    if model.path == "embedded":
        # Nothing in it is that of a reward model, so there is no need to prepare it first.
        choices = ", ".join(name for name in builtin_names() if name.startswith("embedded-"))
        raise ProfileAmbiguous(
            f"model {model.name!r} reads the embedded model, which has several profiles; set profile to one of "
            f"{choices}",
            param="profile",
        )
    detection = inspect_checkpoint(checkpoint_directory(model.path, settings)).detection
    if detection.verdict == "several":
        raise ProfileAmbiguous(
            f"model {model.name!r}: {model.path} is {detection.seen}; what it does not show is {detection.question}. "
            f"Set profile to one of: {_listed(detection.candidates)}",
            param="profile",
        )
    if detection.verdict == "none":
        ruled_out = "".join(f"; {entry.profile}: {entry.reasons_against[0]}" for entry in detection.ruled_out)
        raise ProfileInvalid(
            f"model {model.name!r}: no built-in profile reads {model.path} ({detection.seen}{ruled_out}); "
            "set profile to one of your own",
            param="profile",
        )
    found = detection.candidates[0].profile
    log.info("model %s: profile %s, for %s", model.name, found, detection.seen)
    return load_profile(found)


def _listed(candidates: tuple[Candidate, ...]) -> str:
    return " ".join(f"{candidate.profile} - {candidate.choose}" for candidate in candidates)


def _tokenizer_of(directory: Path) -> tuple[Tokenizer | None, str | None]:
    """The tokenizer, or why there is none."""
    from surefoot.modeling.tokenizer import HfTokenizer

    try:
        return HfTokenizer.from_directory(directory), None
    except CheckpointDamaged as fault:
        return None, fault.message


def _is_known(model_type: str) -> bool:
    from transformers import CONFIG_MAPPING

    from surefoot.modeling import internlm2

    return model_type == internlm2.MODEL_TYPE or model_type in CONFIG_MAPPING

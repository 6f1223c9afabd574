"""The head that a profile reads a checkpoint with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surefoot.errors import ProfileInvalid
from surefoot.ports import Tokenizer
from surefoot.profiles import GenerativeVerdict, Profile, SequenceScalar, TokenClassification, TokenContrast, ValueHead
from surefoot.rendering.control_tokens import contrast_token_ids

if TYPE_CHECKING:
    import torch

    from surefoot.modeling.checkpoint import Checkpoint


def build_head(profile: Profile, checkpoint: Checkpoint, tokenizer: Tokenizer) -> torch.nn.Module:
    """Raises `ProfileInvalid` or `CheckpointDamaged` where profile and checkpoint do not fit."""
    from surefoot.modeling.heads import checkpoint_head, contrast_head
    from surefoot.modeling.weights import read_tensors

    readout = profile.readout
    if isinstance(readout, TokenContrast | GenerativeVerdict):
        words = contrast_token_ids(profile, readout, tokenizer)
        with_mass = isinstance(readout, TokenContrast) and readout.normalise == "vocabulary"
        return contrast_head(checkpoint.model, words, with_mass=with_mass)
    if isinstance(readout, TokenClassification | ValueHead | SequenceScalar):
        return checkpoint_head(
            readout.head,
            read_tensors(checkpoint.path, readout.head.weights, checkpoint.allow),
            hidden_size=checkpoint.model.config.get_text_config().hidden_size,
            num_columns=len(readout.classes) if isinstance(readout, TokenClassification) else 1,
        )
    raise ProfileInvalid(f"readout.method {readout.method!r} is not read by a head", param="readout")

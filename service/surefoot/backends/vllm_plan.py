"""How vLLM's pooling reads a profile: which of its classes, which rows, and what it cannot serve. Pure; starts nothing.

Read in vLLM 0.32 and tried: a head is either one that a class of vLLM's own has, or the linear `score` that its
classify adapter adds to a decoder. Of a language model's output layer the adapter takes rows as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from surefoot.domain import RenderedInput
from surefoot.errors import BackendFailed, SettingsInvalid
from surefoot.profiles import (
    ChatSolution,
    FinalVerdict,
    HeadSpec,
    Profile,
    SequenceScalar,
    TokenClassification,
    TokenContrast,
)

PoolingMode = Literal["each_token", "last_token"]
"""`each_token`: one row per token, of which readout positions choose. `last_token`: the last token's row alone."""

Convert = Literal["auto", "classify"]


@dataclass(frozen=True, slots=True)
class CheckpointFacts:
    """What a checkpoint's configuration says. `bent_logits` names what its class does to its logits, or is empty."""

    architecture: str
    num_labels: int = 2
    bent_logits: str = ""
    allows_remote_code: bool = False


@dataclass(frozen=True, slots=True)
class PoolingPlan:
    """How an engine is started and what comes back; `head` names tensors that the checkpoint must hold for it."""

    mode: PoolingMode
    num_columns: int
    convert: Convert = "auto"
    overrides: Mapping[str, Any] = field(default_factory=dict)
    head: HeadSpec | None = None


@dataclass(frozen=True, slots=True)
class _OwnClass:
    """A reward model that vLLM has a class for; it pools by token only."""

    head: HeadSpec
    num_columns: int
    needs_remote_code: bool = False


_MLP = HeadSpec(weights="score", layers="mlp_relu")
_OWN_CLASSES: Mapping[str, _OwnClass] = {
    "Qwen2ForProcessRewardModel": _OwnClass(_MLP, 2),
    "Qwen2ForRewardModel": _OwnClass(_MLP, 1),
    # transformers has no InternLM2: its configuration class comes with the checkpoint.
    "InternLM2ForRewardModel": _OwnClass(HeadSpec(weights="v_head"), 1, needs_remote_code=True),
}
_ADAPTED_SUFFIXES = ("ForTokenClassification", "ForSequenceClassification")
_ADAPTED_HEAD = HeadSpec(weights="score", layers="linear")

UNSERVED: Mapping[str, str] = {
    "value_head": "it has no class that reads such a head",
    "log_ratio": "an engine runs one model, and this readout compares two",
    "generative_verdict": "pooling writes no text",
}
"""Readouts that no engine of vLLM's pooling can serve, and why."""


def num_columns(profile: Profile) -> int:
    """Raw values per position. Raises `SettingsInvalid`, naming the readout, where vLLM's pooling cannot read it."""
    readout = profile.readout
    if readout.method in UNSERVED:
        raise not_served(f"readout.method {readout.method!r}", UNSERVED[readout.method])
    if isinstance(readout, TokenContrast) and readout.normalise != "pair":
        raise not_served(
            f"readout.normalise {readout.normalise!r} of {readout.method!r}",
            "it keeps the words' rows of the output layer, not the vocabulary's mass",
        )
    if isinstance(readout, TokenContrast) and readout.neutral is not None:
        raise not_served(f"readout.neutral of {readout.method!r}", "its two-way classifiers read two words")
    return _COLUMNS[readout.method](readout)


_COLUMNS: Mapping[str, Callable[[Any], int]] = {
    "token_contrast": lambda _: 2,
    "token_classification": lambda readout: len(readout.classes),
    "sequence_scalar": lambda _: 1,
}

SERVED = frozenset(_COLUMNS)
"""Readouts that vLLM's pooling can serve."""


def plan_pooling(profile: Profile, facts: CheckpointFacts, words: tuple[str, ...] = ()) -> PoolingPlan:
    """The plan for a checkpoint; `words` are a contrast's two vocabulary entries, positive first.

    Raises `SettingsInvalid` where vLLM would refuse it, or would give other numbers than the profile means.
    """
    columns = num_columns(profile)
    readout = profile.readout
    if isinstance(readout, TokenClassification | SequenceScalar):
        return _plan_head(profile, readout.head, facts, columns)
    if not facts.architecture.endswith("ForCausalLM"):
        raise not_served(
            f"readout.method {readout.method!r} on {facts.architecture}", "it converts language models (*ForCausalLM)"
        )
    if facts.bent_logits:
        raise not_served(
            f"readout.method {readout.method!r} on {facts.architecture}",
            f"its conversion leaves out the {facts.bent_logits} of this checkpoint, which changes the scores",
        )
    overrides = {"classifier_from_token": list(words), "method": "no_post_processing", "num_labels": columns}
    return PoolingPlan("each_token", columns, "classify", overrides)


def _plan_head(profile: Profile, head: HeadSpec, facts: CheckpointFacts, columns: int) -> PoolingPlan:
    where = f"readout.method {profile.readout.method!r} on {facts.architecture}"
    own = _OWN_CLASSES.get(facts.architecture)
    if own is None and not facts.architecture.endswith(_ADAPTED_SUFFIXES):
        raise not_served(
            where, f"it reads heads of {', '.join(_OWN_CLASSES)}, {' and '.join(f'*{s}' for s in _ADAPTED_SUFFIXES)}"
        )
    wanted, found = (_ADAPTED_HEAD, facts.num_labels) if own is None else (own.head, own.num_columns)
    if head != wanted:
        raise not_served(
            where, f"its class reads the {wanted.layers} head {wanted.weights!r}, not {head.layers} {head.weights!r}"
        )
    if found != columns:
        raise not_served(where, f"its class gives {found} values at a position and the profile reads {columns}")
    if own is not None and own.needs_remote_code and not facts.allows_remote_code:
        raise not_served(where, 'vLLM runs its configuration\'s own code, which allow = ["remote_code"] would permit')
    mode: PoolingMode = "last_token" if own is None and reads_last_token(profile) else "each_token"
    return PoolingPlan(mode, columns, head=head)


def reads_last_token(profile: Profile) -> bool:
    """Whether an input is read at its last token alone, for sure."""
    rendering = profile.rendering
    is_at_end = isinstance(rendering, ChatSolution) or (
        isinstance(rendering, FinalVerdict) and rendering.verdict is None
    )
    return is_at_end and isinstance(profile.readout, SequenceScalar)


def row_indices(mode: PoolingMode, num_rows: int, rendered: RenderedInput) -> list[int]:
    """Which of an input's pooled rows its readout positions are.

    Raises `BackendFailed` where rows and tokens do not correspond: a value is never read from a place that is guessed.
    """
    if mode == "last_token":
        if num_rows != 1 or rendered.readout_positions != (rendered.num_tokens - 1,):
            raise BackendFailed(f"vLLM gave {num_rows} rows where the last of {rendered.num_tokens} tokens is read")
        return [0]
    if num_rows != rendered.num_tokens:
        raise BackendFailed(f"vLLM gave {num_rows} rows for {rendered.num_tokens} tokens")
    return list(rendered.readout_positions)


def not_served(what: str, why: str) -> SettingsInvalid:
    """The error for what vLLM's pooling cannot do."""
    return SettingsInvalid(f'vLLM cannot serve {what}: {why}; set backend = "transformers"', param="backend")

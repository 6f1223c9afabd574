"""Profiles of reward-model families: the schema and the built-in ones."""

from surefoot.profiles.library import builtin_names, load_profile, parse_profile, profile_text
from surefoot.profiles.pinning import keeps_comments, pinned_text
from surefoot.profiles.readouts import (
    Activation,
    GenerativeVerdict,
    HeadSpec,
    LogRatio,
    ModelArchitecture,
    SequenceScalar,
    StepClass,
    TokenClassification,
    TokenContrast,
    ValueHead,
)
from surefoot.profiles.renderings import (
    ChatRendering,
    ChatSolution,
    ChatSteps,
    FinalVerdict,
    SeparatedSteps,
    TaggedChat,
    TaggedText,
    VerdictTurns,
)
from surefoot.profiles.schema import Golden, Overflow, Profile, UnitMap

__all__ = [
    "Activation",
    "ChatRendering",
    "ChatSolution",
    "ChatSteps",
    "FinalVerdict",
    "GenerativeVerdict",
    "Golden",
    "HeadSpec",
    "LogRatio",
    "ModelArchitecture",
    "Overflow",
    "Profile",
    "SeparatedSteps",
    "SequenceScalar",
    "StepClass",
    "TaggedChat",
    "TaggedText",
    "TokenClassification",
    "TokenContrast",
    "UnitMap",
    "ValueHead",
    "VerdictTurns",
    "builtin_names",
    "keeps_comments",
    "load_profile",
    "parse_profile",
    "pinned_text",
    "profile_text",
]

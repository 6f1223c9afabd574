"""Profiles of reward-model families: the schema and the built-in ones."""

from surefoot.profiles.library import builtin_names, load_profile
from surefoot.profiles.schema import (
    ChatSolution,
    FinalVerdict,
    ModelArchitecture,
    Profile,
    SeparatedSteps,
    SequenceScalar,
    StepClass,
    TokenClassification,
    TokenContrast,
    UnitMap,
    VerdictTurns,
)

__all__ = [
    "ChatSolution",
    "FinalVerdict",
    "ModelArchitecture",
    "Profile",
    "SeparatedSteps",
    "SequenceScalar",
    "StepClass",
    "TokenClassification",
    "TokenContrast",
    "UnitMap",
    "VerdictTurns",
    "builtin_names",
    "load_profile",
]

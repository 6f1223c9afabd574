"""Rendering: problem and steps to token ids and readout positions, for every family through one table."""

from collections.abc import Callable, Mapping
from typing import Any

from surefoot.ports import Tokenizer
from surefoot.profiles import Profile
from surefoot.rendering.chat import ChatEncoding, ChatFrame
from surefoot.rendering.renderers import (
    ChatSolutionRenderer,
    FinalVerdictRenderer,
    Renderer,
    SeparatedStepsRenderer,
    VerdictTurnsRenderer,
)

RENDERERS: Mapping[str, Callable[[Any, Tokenizer], Renderer]] = {
    "verdict_turns": VerdictTurnsRenderer,
    "final_verdict": FinalVerdictRenderer,
    "separated_steps": SeparatedStepsRenderer,
    "chat_solution": ChatSolutionRenderer,
}


def build_renderer(profile: Profile, tokenizer: Tokenizer) -> Renderer:
    """The renderer that the profile asks for."""
    return RENDERERS[profile.rendering.method](profile.rendering, tokenizer)


__all__ = ["RENDERERS", "ChatEncoding", "ChatFrame", "Renderer", "build_renderer"]

"""Rendering: problem and steps to token ids and readout positions, for every family through one table."""

from collections.abc import Callable, Mapping
from typing import Any

from surefoot.errors import ProfileInvalid, UnsafeText
from surefoot.ports import Tokenizer
from surefoot.profiles import Profile
from surefoot.rendering.chat import ChatEncoding, ChatFrame, Turn
from surefoot.rendering.chat_renderers import (
    ChatSolutionRenderer,
    ChatStepsRenderer,
    FinalVerdictRenderer,
    TaggedChatRenderer,
    VerdictTurnsRenderer,
)
from surefoot.rendering.renderer import Renderer
from surefoot.rendering.text_renderers import SeparatedStepsRenderer, TaggedTextRenderer

RENDERERS: Mapping[str, Callable[[Any, Tokenizer], Renderer]] = {
    "verdict_turns": VerdictTurnsRenderer,
    "final_verdict": FinalVerdictRenderer,
    "chat_solution": ChatSolutionRenderer,
    "tagged_chat": TaggedChatRenderer,
    "chat_steps": ChatStepsRenderer,
    "separated_steps": SeparatedStepsRenderer,
    "tagged_text": TaggedTextRenderer,
}


def build_renderer(profile: Profile, tokenizer: Tokenizer) -> Renderer:
    """The renderer that the profile asks for. Raises `ProfileInvalid` where the tokenizer lacks what it needs."""
    try:
        return RENDERERS[profile.rendering.method](profile.rendering, tokenizer)
    except UnsafeText as cause:
        raise ProfileInvalid(
            "this tokenizer has no tokens for a separator or tag of the profile: another profile is meant for this "
            "checkpoint, or its tokenizer files are not the model's own",
            param="rendering",
        ) from cause


__all__ = ["RENDERERS", "ChatEncoding", "ChatFrame", "Renderer", "Turn", "build_renderer"]

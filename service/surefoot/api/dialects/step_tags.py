"""Steps that are marked by the model's tag in the assistant's turn, as clients of such models send them.

Only `POST /pooling` reads turns this way. Everywhere else, and here in all other turns, a tag is text like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from surefoot.profiles import Profile, SeparatedSteps, TaggedChat, TaggedText


@dataclass(frozen=True, slots=True)
class _Tag:
    """What ends a step, and what the rendering writes of its own between it and the next step."""

    pattern: re.Pattern[str]
    joiner: str = ""


def split_at_tags(profile: Profile, turn: str) -> tuple[str, ...] | None:
    """The steps before the tags in an assistant's turn, exactly as they were written: one a tag, blank ones too.

    What stands behind the last tag is left out: a model that reads at tags has no value for it. `None` for a turn
    without a tag, and for a profile that has none; then its own splitting is meant.
    """
    tag = _tag_of(profile)
    if tag is None:
        return None
    first, *others = tag.pattern.split(turn)
    if not others:
        return None
    return first, *(step.removeprefix(tag.joiner) for step in others[:-1])


def _tag_of(profile: Profile) -> _Tag | None:
    rendering = profile.rendering
    if isinstance(rendering, TaggedChat):
        return _Tag(re.compile(re.escape(rendering.tag)))
    if isinstance(rendering, TaggedText):
        # " ки" begins many a Russian word: with a joiner behind every tag, a letter there shows that it is none.
        end = r"(?!\w)" if rendering.joiner else ""
        return _Tag(re.compile(re.escape(rendering.tag) + end), rendering.joiner)
    # Line ends are how any text is laid out; the profile's splitting knows which of them end a step.
    if isinstance(rendering, SeparatedSteps) and rendering.separator.strip():
        return _Tag(re.compile(re.escape(rendering.separator)))
    return None

"""Chat templates without their dangers: control tokens come from the template alone, never from message text.

The template is applied to placeholders and the result is cut at them; what lies between (the frame) is trusted, the
contents are not. A solution that spells out a turn's end cannot forge a turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from surefoot.domain import Message, Role, TextPart
from surefoot.errors import UnsupportedMessages
from surefoot.ports import Tokenizer

# Private-use characters: no template inspects them, none strips them, and they are replaced before anything is encoded.
# The em spaces, which no template writes of its own, show whether it strips what it is given.
_PLACEHOLDER = re.compile("(\u2003?)\ue000(\\d+)\ue001(\u2003?)")


@dataclass(frozen=True, slots=True)
class Turn:
    """A chat turn whose content comes in parts, so that places inside it can be found again among the tokens."""

    role: Role
    parts: tuple[TextPart, ...]

    @classmethod
    def of(cls, message: Message) -> Turn:
        """A turn of untrusted text."""
        return cls(message.role, (TextPart(message.content),))


@dataclass(frozen=True, slots=True)
class ChatEncoding:
    """Tokens of a conversation. `last_tokens[i][j]` is the index of the token with the last character of turn i's
    part j, `first_tokens[i]` that of the first token after the text before turn i."""

    token_ids: tuple[int, ...]
    first_tokens: tuple[int, ...]
    last_tokens: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Trusted text before, between and after the contents, and whether the template keeps white space around each."""

    texts: tuple[TextPart, ...]
    keeps_left: tuple[bool, ...]
    keeps_right: tuple[bool, ...]


class ChatFrame:
    """Encodes conversations with one tokenizer's chat template."""

    def __init__(self, tokenizer: Tokenizer, variables: Mapping[str, str] | None = None) -> None:
        self._tokenizer = tokenizer
        self._variables = variables
        self._frame = lru_cache(maxsize=256)(self._find_frame)

    def encode(
        self,
        turns: Sequence[Turn],
        *,
        add_generation_prompt: bool = False,
        trim_end: bool = False,
        opening: str = "",
    ) -> ChatEncoding:
        """Tokens of `turns`; with `add_generation_prompt` they end where the assistant would begin, with `trim_end`
        without the white space that the template writes after the last turn. `opening` is put at the end.

        Raises `UnsupportedMessages` when the template refuses the order of the roles.
        """
        frame = self._frame(tuple(turn.role for turn in turns), add_generation_prompt)
        parts = [frame.texts[0]]
        for turn, left, right, after in zip(turns, frame.keeps_left, frame.keeps_right, frame.texts[1:], strict=True):
            parts += [*_stripped(turn.parts, left=not left, right=not right), after]
        if trim_end:
            parts[-1] = TextPart(parts[-1].text.rstrip(), trusted=True)
        if opening:
            parts.append(TextPart(opening, trusted=True))
        encoded = self._tokenizer.encode_parts(parts)
        # Part 0 is the frame's beginning; after each turn's parts comes one more of the frame's.
        starts = list(accumulate((len(turn.parts) + 1 for turn in turns), initial=1))
        return ChatEncoding(
            encoded.token_ids,
            tuple(encoded.last_tokens[start - 1] + 1 for start in starts[:-1]),
            tuple(
                encoded.last_tokens[start : start + len(turn.parts)] for start, turn in zip(starts, turns, strict=False)
            ),
        )

    def _find_frame(self, roles: tuple[Role, ...], add_generation_prompt: bool) -> _Frame:
        messages = [Message(role, f"\u2003\ue000{index}\ue001\u2003") for index, role in enumerate(roles)]
        try:
            text = self._tokenizer.chat_text(
                messages, add_generation_prompt=add_generation_prompt, variables=self._variables
            )
        except ValueError as cause:
            raise UnsupportedMessages(
                f"the chat template refuses this order of roles: {cause}", param="messages"
            ) from cause
        pieces = _PLACEHOLDER.split(text)
        if [int(number) for number in pieces[2::4]] != list(range(len(roles))):
            raise UnsupportedMessages("the chat template drops or repeats some of these turns", param="messages")
        return _Frame(
            tuple(TextPart(piece, trusted=True) for piece in pieces[0::4]),
            tuple(map(bool, pieces[1::4])),
            tuple(map(bool, pieces[3::4])),
        )


def _stripped(parts: Sequence[TextPart], *, left: bool, right: bool) -> list[TextPart]:
    """The parts without the white space at their common beginning and end, where the template takes it away."""
    texts = [part.text for part in parts]
    for places, strip, wanted in (
        (range(len(texts)), str.lstrip, left),
        (reversed(range(len(texts))), str.rstrip, right),
    ):
        for place in places if wanted else ():
            texts[place] = strip(texts[place])
            if texts[place]:
                break
    return [TextPart(text, part.trusted) for text, part in zip(texts, parts, strict=True)]


def conversation(context: Sequence[Message], system: str | None, *turns: Turn) -> list[Turn]:
    """The caller's earlier turns and `turns` after them; the caller's system message goes before the profile's."""
    has_system = bool(context) and context[0].role == "system"
    start = [] if has_system or system is None else [Turn.of(Message("system", system))]
    return [*start, *map(Turn.of, context), *turns]

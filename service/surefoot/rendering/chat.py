"""Chat templates without their dangers: control tokens come from the template alone, never from message text.

The template is applied to placeholders, the result is cut at them, and what lies between (the frame) is encoded as
markup while the contents are encoded as plain text. A solution that spells out a turn's end cannot forge a turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from surefoot.domain import Message, Role
from surefoot.errors import UnsupportedMessages
from surefoot.ports import Tokenizer

# Private-use characters: no template inspects them, none strips them, and they are replaced before anything is encoded.
_PLACEHOLDER = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True, slots=True)
class ChatEncoding:
    """Tokens of a conversation; `content_spans[i]` is the half-open token range of message i's content."""

    token_ids: tuple[int, ...]
    content_spans: tuple[tuple[int, int], ...]


class ChatFrame:
    """Encodes conversations with one tokenizer's chat template."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._pieces = lru_cache(maxsize=256)(self._encode_pieces)

    def encode(self, messages: Sequence[Message], *, add_generation_prompt: bool = False) -> ChatEncoding:
        """Tokens of `messages`; with `add_generation_prompt` they end where the assistant would begin.

        Raises `UnsupportedMessages` when the template refuses the order of the roles.
        """
        pieces = self._pieces(tuple(message.role for message in messages), add_generation_prompt)
        token_ids: list[int] = list(pieces[0])
        spans: list[tuple[int, int]] = []
        for message, after in zip(messages, pieces[1:], strict=True):
            start = len(token_ids)
            token_ids += self._tokenizer.encode_text(message.content.strip())
            spans.append((start, len(token_ids)))
            token_ids += after
        return ChatEncoding(tuple(token_ids), tuple(spans))

    def _encode_pieces(self, roles: tuple[Role, ...], add_generation_prompt: bool) -> tuple[tuple[int, ...], ...]:
        messages = [Message(role, f"\ue000{index}\ue001") for index, role in enumerate(roles)]
        try:
            text = self._tokenizer.chat_text(messages, add_generation_prompt=add_generation_prompt)
        except ValueError as cause:
            raise UnsupportedMessages(
                f"the chat template refuses this order of roles: {cause}", param="messages"
            ) from cause
        parts = _PLACEHOLDER.split(text)
        if [int(number) for number in parts[1::2]] != list(range(len(roles))):
            raise UnsupportedMessages("the chat template drops or repeats some of these turns", param="messages")
        return tuple(tuple(self._tokenizer.encode_markup(part)) for part in parts[0::2])


def conversation(context: Sequence[Message], system: str | None, *turns: Message) -> list[Message]:
    """The caller's earlier turns and `turns` after them; the caller's system message goes before the profile's."""
    has_system = bool(context) and context[0].role == "system"
    start = [] if has_system or system is None else [Message("system", system)]
    return [*start, *context, *turns]

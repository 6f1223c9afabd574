"""The shipped fake: a Tokenizer without a vocabulary file, so that the real renderers run where no model is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from surefoot.domain import Message

CONTROL_TOKENS = ("<s>", "<|im_start|>", "<|im_end|>")
FIRST_CONTROL_ID = 0x110000
"""The first id that is no Unicode code point; control token j is `FIRST_CONTROL_ID + j`."""

_IDS = {token: FIRST_CONTROL_ID + place for place, token in enumerate(CONTROL_TOKENS)}
_PIECE = re.compile("|".join([*map(re.escape, CONTROL_TOKENS), "."]), re.DOTALL)


class FakeTokenizer:
    """One token a character, its code point being its id; markup also knows three control tokens.

    The chat template is ChatML's: `<|im_start|>role\\ncontent<|im_end|>\\n` a turn. Like many templates it refuses
    a system message anywhere but in front.
    """

    def __init__(self, *, has_bos: bool = True) -> None:
        self._bos_token_id = _IDS["<s>"] if has_bos else None

    @property
    def bos_token_id(self) -> int | None:
        return self._bos_token_id

    def encode_text(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def encode_markup(self, text: str) -> list[int]:
        return [_IDS[piece] if piece in _IDS else ord(piece) for piece in _PIECE.findall(text)]

    def chat_text(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        """The turns as ChatML. Raises `ValueError` for a system message that is not the first."""
        if any(message.role == "system" for message in messages[1:]):
            raise ValueError("the system message must come first")
        turns = "".join(f"<|im_start|>{message.role}\n{message.content}<|im_end|>\n" for message in messages)
        return turns + ("<|im_start|>assistant\n" if add_generation_prompt else "")

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of `token_ids` without the control tokens among them."""
        return "".join(chr(token) for token in token_ids if token < FIRST_CONTROL_ID)

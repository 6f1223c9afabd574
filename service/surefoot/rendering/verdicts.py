"""Verdict words: each must be exactly one token in the very place where it is read."""

from __future__ import annotations

from surefoot.domain import Message
from surefoot.errors import ProfileInvalid
from surefoot.ports import Tokenizer


def verdict_token_id(tokenizer: Tokenizer, word: str) -> int:
    """The id of `word` as the first thing an assistant says. Raises `ProfileInvalid` when it is not one token there.

    A word can be one token alone and two, or another one, after the header; reading that would be silently wrong.
    """
    header = tokenizer.chat_text([Message("user", "?")], add_generation_prompt=True)
    before = tokenizer.encode_markup(header)
    after = tokenizer.encode_markup(header + word)
    alone = tokenizer.encode_text(word)
    if after[: len(before)] != before or after[len(before) :] != alone or len(alone) != 1:
        raise ProfileInvalid(
            f"verdict {word!r} is {len(alone)} tokens alone and {len(after) - len(before)} in context for this "
            "tokenizer; it must be the same single one",
            param="readout",
        )
    return alone[0]

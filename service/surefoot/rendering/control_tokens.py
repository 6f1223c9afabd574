"""Tokens that a profile names: each must be exactly one token in the very place where it is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from surefoot.domain import Message
from surefoot.errors import ProfileInvalid, UnsafeText
from surefoot.ports import Tokenizer
from surefoot.profiles import ChatRendering, GenerativeVerdict, Profile, TokenContrast


def control_token_id(tokenizer: Tokenizer, token: str, field: str) -> int:
    """The id of a control token of the vocabulary. Raises `ProfileInvalid` where the tokenizer does not know it."""
    found = tokenizer.encode_markup(token)
    if len(found) != 1 or tokenizer.encode_text(token) == found:
        raise ProfileInvalid(
            f"rendering.{field} {token!r} is no control token of this tokenizer: another profile is meant for this "
            "checkpoint, or its tokenizer files are not the model's own",
            param="rendering",
        )
    return found[0]


def word_token_id(tokenizer: Tokenizer, word: str) -> int:
    """The id of a word that is one token by itself. Raises `ProfileInvalid` when it is none or several."""
    found = tokenizer.encode_text(word)
    if len(found) != 1:
        raise ProfileInvalid(
            f"verdict {word!r} is {len(found)} tokens for this tokenizer; it must be a single one", param="readout"
        )
    return found[0]


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


def cued_token_id(tokenizer: Tokenizer, word: str, *, cue: str) -> int:
    """The id of `word` behind the text that asks for it. Raises `ProfileInvalid` when it is not one token there."""
    before, after = tokenizer.encode_text(cue), tokenizer.encode_text(cue + word)
    if after[:-1] != before:
        raise ProfileInvalid(
            f"verdict {word!r} is not a single token of its own behind the cue {cue!r} for this tokenizer: a space "
            "between them belongs to one of the two, in most vocabularies to the word",
            param="readout",
        )
    return after[-1]


def contrast_token_ids(profile: Profile, readout: TokenContrast | GenerativeVerdict, tokenizer: Tokenizer) -> list[int]:
    """The ids of the readout's words. Raises `ProfileInvalid` where one is not a single token."""
    token_id: Callable[[Tokenizer, str], int]
    if isinstance(readout, GenerativeVerdict):
        token_id = partial(cued_token_id, cue=readout.cue)
    else:
        # Behind a chat header a word can be another token than alone.
        token_id = verdict_token_id if isinstance(profile.rendering, ChatRendering) else word_token_id
    try:
        return [token_id(tokenizer, word) for word in readout.words]
    except UnsafeText as cause:
        raise ProfileInvalid(
            f"this tokenizer has no tokens for one of the verdicts {', '.join(map(repr, readout.words))}",
            param="readout",
        ) from cause

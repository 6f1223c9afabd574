"""How many tokens a text has at least, by counting its bytes: what cannot fit need not be tokenised to know it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from tokenizers import Tokenizer as FastTokenizer
from tokenizers.pre_tokenizers import ByteLevel

_WHITE_SPACE = bytes(byte for byte in range(128) if chr(byte).isspace())
_CONTROLS = frozenset(range(0x21)) | {0x7F}
_CONTINUATION = frozenset(range(0x80, 0xC0))
_RARE_OR_NO_LEAD = frozenset({0xC0, 0xC1}) | frozenset(range(0xF1, 0x100))

NFC_SHRINKS_BY = 4
"""Code points that canonical composition makes one of, at most: the longest canonical decomposition (UAX 15)."""


@dataclass(frozen=True, slots=True)
class TokenBound:
    """Every token stands for at most `bytes_per_token` of the counted bytes; those in `uncounted` may vanish."""

    uncounted: bytes
    bytes_per_token: int

    @classmethod
    def of(cls, tokenizer: FastTokenizer) -> Self | None:
        """The bound of a byte-level BPE; `None` for tokenizers that may drop or merge text without limit.

        White space in ASCII is never counted, because renderers trim it.
        """
        kinds = list(_steps(tokenizer.pre_tokenizer))
        if not (_is_plain_bpe(tokenizer.model) and "ByteLevel" in kinds and set(kinds) <= {"ByteLevel", "Keeping"}):
            return None
        added = tokenizer.get_added_tokens_decoder().values()
        if any(token.lstrip or token.rstrip for token in added):
            return None
        vocabulary = tokenizer.get_vocab(with_added_tokens=False)
        longest = max([*map(len, vocabulary), *(len(token.content.encode()) for token in added)], default=1)
        # A byte without a token of its own is left out of the tokens without a word.
        lost = frozenset(byte for byte, letter in enumerate(_byte_letters()) if letter not in vocabulary)
        if tokenizer.normalizer is None:
            return cls(bytes({*_WHITE_SPACE, *lost}), longest)
        if _state(tokenizer.normalizer)["type"] == "NFC" and lost <= _CONTROLS | _CONTINUATION | _RARE_OR_NO_LEAD:
            # Composition changes bytes: only beginnings of characters are counted, and some become one.
            return cls(bytes({*_WHITE_SPACE, *lost, *_CONTINUATION}), longest * NFC_SHRINKS_BY)
        return None

    def fewest_tokens(self, text: str) -> int:
        """A lower bound of the text's tokens, by itself or inside a longer text."""
        counted = len(text.encode("utf-8", "surrogatepass").translate(None, self.uncounted))
        return -(-counted // self.bytes_per_token)


def _byte_letters() -> list[str]:
    """The letter that stands for each byte in byte-level vocabularies (GPT-2): itself where it is printable."""
    alphabet = set(ByteLevel.alphabet())
    letters = {byte: chr(byte) for byte in range(256) if chr(byte) in alphabet}
    others = iter(sorted(alphabet - set(letters.values())))
    return [letters.get(byte) or next(others) for byte in range(256)]


def _is_plain_bpe(model: Any) -> bool:
    return type(model).__name__ == "BPE" and not (model.continuing_subword_prefix or model.end_of_word_suffix)


def _steps(pre_tokenizer: Any) -> Iterator[str]:
    """What each step of the pre-tokenizer is: ByteLevel, another one that keeps all text, or one that does not."""
    waiting = [] if pre_tokenizer is None else [_state(pre_tokenizer)]
    while waiting:
        step = waiting.pop()
        if step["type"] == "Sequence":
            waiting += step["pretokenizers"]
        elif step["type"] == "Digits" or (step["type"] == "Split" and step["behavior"] != "Removed"):
            yield "Keeping"
        else:
            yield step["type"]


def _state(part: Any) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(part.__getstate__())
    return state

"""The shipped fake: a Tokenizer without a vocabulary file, so that the real renderers run where no model is."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from surefoot.domain import EncodedParts, Message, TextPart
from surefoot.profiles import ChatSolution, GenerativeVerdict, Profile, TaggedChat, TaggedText, TokenContrast

CONTROL_TOKENS = ("<s>", "<|im_start|>", "<|im_end|>")
FIRST_CONTROL_ID = 0x110000
"""The first id that is no Unicode code point; control token j is `FIRST_CONTROL_ID + j`."""
FIRST_WORD_ID = 0x120000
"""Word j is `FIRST_WORD_ID + j`."""


class FakeTokenizer:
    """One token a character, its code point being its id, but for some longer `words`, which are one token wherever
    they stand; markup also knows three control tokens and those of `control_tokens`.

    The chat template is ChatML's: `<|im_start|>role\\ncontent<|im_end|>\\n` a turn. Like many templates it refuses
    a system message anywhere but in front.
    """

    def __init__(self, *, has_bos: bool = True, control_tokens: Sequence[str] = (), words: Sequence[str] = ()) -> None:
        self._bos_token_id = FIRST_CONTROL_ID if has_bos else None
        control = dict.fromkeys((*CONTROL_TOKENS, *control_tokens))
        self._control_ids = {token: FIRST_CONTROL_ID + place for place, token in enumerate(control)}
        self._word_ids = {word: FIRST_WORD_ID + place for place, word in enumerate(words)}
        self._control = re.compile("|".join(map(re.escape, _longest_first(control))))
        self._plain = re.compile("|".join([*map(re.escape, _longest_first(words)), "."]), re.DOTALL)

    @classmethod
    def for_profile(cls, profile: Profile) -> FakeTokenizer:
        """One whose vocabulary has the tokens that the profile names."""
        rendering, readout = profile.rendering, profile.readout
        control: list[str] = []
        words: list[str] = []
        if isinstance(rendering, TaggedChat):
            control.append(rendering.tag)
        if isinstance(rendering, ChatSolution) and rendering.append is not None:
            control.append(rendering.append)
        if isinstance(rendering, TaggedText):
            words.append(rendering.tag)
        if isinstance(readout, TokenContrast | GenerativeVerdict):
            words += [word for word in readout.words if len(word) > 1]
        return cls(control_tokens=control, words=words)

    @property
    def bos_token_id(self) -> int | None:
        return self._bos_token_id

    def fewest_tokens(self, text: str) -> int:
        return -(-len(text) // max(map(len, self._word_ids), default=1))

    def encode_text(self, text: str) -> list[int]:
        return list(self.encode_parts([TextPart(text)]).token_ids)

    def encode_markup(self, text: str) -> list[int]:
        return list(self.encode_parts([TextPart(text, trusted=True)]).token_ids)

    def encode_parts(self, parts: Sequence[TextPart]) -> EncodedParts:
        text = "".join(part.text for part in parts)
        ends = list(accumulate(len(part.text) for part in parts))
        tokens: list[tuple[int, int]] = []
        place = 0
        for match in self._control.finditer(text):
            part = bisect_right(ends, match.start())
            if parts[part].trusted and match.end() <= ends[part]:
                tokens += [
                    *self._plain_tokens(text, place, match.start()),
                    (self._control_ids[match[0]], match.start()),
                ]
                place = match.end()
        tokens += self._plain_tokens(text, place, len(text))
        starts = [start for _, start in tokens]
        return EncodedParts(
            tuple(token_id for token_id, _ in tokens), tuple(bisect_left(starts, end) - 1 for end in ends)
        )

    def _plain_tokens(self, text: str, start: int, end: int) -> list[tuple[int, int]]:
        """Ids of the words and characters between two places, and where each begins."""
        found = self._plain.finditer(text, start, end)
        return [(self._word_ids.get(match[0]) or ord(match[0]), match.start()) for match in found]

    def chat_text(
        self,
        messages: Sequence[Message],
        *,
        add_generation_prompt: bool,
        variables: Mapping[str, str] | None = None,  # noqa: ARG002  ChatML knows none
    ) -> str:
        """The turns as ChatML. Raises `ValueError` for a system message that is not the first."""
        if any(message.role == "system" for message in messages[1:]):
            raise ValueError("the system message must come first")
        turns = "".join(f"<|im_start|>{message.role}\n{message.content}<|im_end|>\n" for message in messages)
        return turns + ("<|im_start|>assistant\n" if add_generation_prompt else "")

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of `token_ids` without the control tokens among them."""
        return self.spelled([token for token in token_ids if not FIRST_CONTROL_ID <= token < FIRST_WORD_ID])

    def spelled(self, token_ids: Sequence[int]) -> str:
        """The text of `token_ids` with control tokens spelled out."""
        texts = {token_id: text for text, token_id in (self._control_ids | self._word_ids).items()}
        return "".join(texts[token] if token >= FIRST_CONTROL_ID else chr(token) for token in token_ids)


def _longest_first(texts: Sequence[str] | Mapping[str, object]) -> list[str]:
    return sorted(texts, key=len, reverse=True)

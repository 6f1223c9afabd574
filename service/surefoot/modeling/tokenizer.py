"""A Hugging Face fast tokenizer behind the `Tokenizer` port."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from tokenizers import Tokenizer as FastTokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from surefoot.domain import EncodedParts, Message, TextPart
from surefoot.errors import CheckpointDamaged, UnsafeText
from surefoot.modeling.token_bound import TokenBound

_VOCABULARY_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json")

_PINNED_DATE = date(2024, 7, 26)
"""What templates that ask for today's date are told: a score must not change overnight."""

Offsets = tuple[int, int]


class HfTokenizer:
    """Encodes with `tokenizers` directly: thread-safe, and without the specials that wrappers add."""

    def __init__(self, wrapper: Any) -> None:
        self._wrapper = wrapper
        self._markup: FastTokenizer = wrapper.backend_tokenizer
        # It would add specials that are asked for elsewhere, and trim the offsets of tokens that begin with a space.
        self._markup.post_processor = None
        # tokenizer.json may ask for both, yet nothing is ever cut silently.
        self._markup.no_truncation()
        self._markup.no_padding()
        self._bound = TokenBound.of(self._markup)
        self._plain, self._moved_ids, self._control_ids = plain_text_twin(self._markup)

    @classmethod
    def from_directory(cls, path: Path) -> HfTokenizer:
        """The tokenizer of a checkpoint directory. Raises `CheckpointDamaged` when there is none that is fast."""
        # Without any of these some classes make up an empty vocabulary.
        if not any((path / name).is_file() for name in _VOCABULARY_FILES):
            raise CheckpointDamaged(f"{path} has no tokenizer (tokenizer.json); copy it there", param="path")
        # tokenizer.json says what the model was trained with; the classes that AutoTokenizer picks by model type put
        # their own normalisation and splitting in its place.
        reader = PreTrainedTokenizerFast if (path / "tokenizer.json").is_file() else AutoTokenizer
        try:
            wrapper = reader.from_pretrained(str(path), local_files_only=True)
        except Exception as cause:
            raise CheckpointDamaged(f"the tokenizer in {path} cannot be read: {cause}", param="path") from cause
        if not getattr(wrapper, "is_fast", False):
            raise CheckpointDamaged(f"the tokenizer in {path} has no fast form (tokenizer.json)", param="path")
        return cls(wrapper)

    @property
    def bos_token_id(self) -> int | None:
        found: int | None = self._wrapper.bos_token_id
        return found

    @property
    def eos_token_ids(self) -> tuple[int, ...]:
        """Ids that end a generated turn."""
        return () if self._wrapper.eos_token_id is None else (self._wrapper.eos_token_id,)

    def fewest_tokens(self, text: str) -> int:
        return 0 if self._bound is None else self._bound.fewest_tokens(text)

    @property
    def vocabulary(self) -> Mapping[str, int]:
        """Every token and its id, added ones included."""
        found: dict[str, int] = self._markup.get_vocab(with_added_tokens=True)
        return found

    def encode_text(self, text: str) -> list[int]:
        return [token_id for token_id, _ in self._encode_plain(text)]

    def encode_markup(self, text: str) -> list[int]:
        ids: list[int] = self._markup.encode(text, add_special_tokens=False).ids
        return ids

    def encode_parts(self, parts: Sequence[TextPart]) -> EncodedParts:
        text = "".join(part.text for part in parts)
        ends = list(accumulate(len(part.text) for part in parts))
        tokens = self._encode_whole(text, parts, ends)
        starts = [start for _, (start, _) in tokens]
        return EncodedParts(
            tuple(token_id for token_id, _ in tokens), tuple(bisect_left(starts, end) - 1 for end in ends)
        )

    def _encode_whole(self, text: str, parts: Sequence[TextPart], ends: Sequence[int]) -> list[tuple[int, Offsets]]:
        """All parts at once; where one that is not trusted spells a control token, text and control tokens apart."""
        try:
            encoding = self._markup.encode(text, add_special_tokens=False)
        except TypeError as cause:
            raise _half_a_character() from cause
        tokens: list[tuple[int, Offsets]] = list(zip(encoding.ids, encoding.offsets, strict=True))
        control = [token for token in tokens if token[0] in self._control_ids]
        trusted = [token for token in control if _is_in_trusted_part(token[1], parts, ends)]
        if len(trusted) == len(control):
            return tokens
        pieces: list[tuple[int, Offsets]] = []
        place = 0
        for token in [*trusted, (None, (len(text), len(text)))]:
            token_id, (start, end) = token
            for plain_id, (plain_start, plain_end) in self._encode_plain(text[place:start]):
                pieces.append((plain_id, (place + plain_start, place + plain_end)))
            if token_id is not None:
                pieces.append((token_id, (start, end)))
            place = end
        return pieces

    def _encode_plain(self, text: str) -> list[tuple[int, Offsets]]:
        """Tokens of untrusted text and their places in it."""
        try:
            encoding = self._plain.encode(text, add_special_tokens=False)
        except TypeError as cause:
            raise _half_a_character() from cause
        ids = [self._moved_ids.get(token_id, token_id) for token_id in encoding.ids]
        if not self._control_ids.isdisjoint(ids):
            raise UnsafeText("the text spells a control token that this tokenizer cannot keep as plain text")
        return list(zip(ids, encoding.offsets, strict=True))

    def chat_text(
        self,
        messages: Sequence[Message],
        *,
        add_generation_prompt: bool,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """The chat template applied; `ValueError` where the template refuses or there is none."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            text: str = self._wrapper.apply_chat_template(
                turns,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                strftime_now=_PINNED_DATE.strftime,
                **(variables or {}),
            )
        except TemplateError as cause:
            raise ValueError(str(cause)) from cause
        return text

    def decode(self, token_ids: Sequence[int]) -> str:
        text: str = self._wrapper.decode(list(token_ids), skip_special_tokens=True)
        return text


def _half_a_character() -> UnsafeText:
    return UnsafeText("the text holds half of a surrogate pair, which is no character: replace it")


def _is_in_trusted_part(offsets: Offsets, parts: Sequence[TextPart], ends: Sequence[int]) -> bool:
    place = bisect_right(ends, offsets[0])
    return parts[place].trusted and offsets[1] <= ends[place]


def plain_text_twin(markup: FastTokenizer) -> tuple[FastTokenizer, dict[int, int], frozenset[int]]:
    """A tokenizer that treats control tokens in its input as plain text, and the ids it must then never give.

    Added tokens that are mere whitespace stay: they are how some vocabularies write ordinary text. Without their
    neighbours they are numbered anew: between the two stands the map from the twin's ids to the true ones.
    """
    form = json.loads(markup.to_str())
    kept = [token for token in form["added_tokens"] if not token["special"] and not token["content"].strip()]
    dropped = frozenset(token["id"] for token in form["added_tokens"]) - frozenset(token["id"] for token in kept)
    form["added_tokens"] = kept
    form["post_processor"] = None
    twin = FastTokenizer.from_str(json.dumps(form))
    numbered = {twin.token_to_id(token["content"]): token["id"] for token in kept}
    moved = {given: true for given, true in numbered.items() if given is not None and given != true}
    return twin, moved, dropped

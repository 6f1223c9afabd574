"""A Hugging Face fast tokenizer behind the `Tokenizer` port."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from tokenizers import Tokenizer as FastTokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from surefoot.domain import Message
from surefoot.errors import CheckpointDamaged, UnsafeText

_VOCABULARY_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json")


class HfTokenizer:
    """Encodes with `tokenizers` directly: thread-safe, and without the specials that wrappers add."""

    def __init__(self, wrapper: Any) -> None:
        self._wrapper = wrapper
        self._markup: FastTokenizer = wrapper.backend_tokenizer
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

    def encode_text(self, text: str) -> list[int]:
        try:
            ids: list[int] = self._plain.encode(text, add_special_tokens=False).ids
        except TypeError as cause:
            raise UnsafeText("the text holds half of a surrogate pair, which is no character: replace it") from cause
        if self._moved_ids:
            ids = [self._moved_ids.get(token_id, token_id) for token_id in ids]
        if not self._control_ids.isdisjoint(ids):
            raise UnsafeText("the text spells a control token that this tokenizer cannot keep as plain text")
        return ids

    def encode_markup(self, text: str) -> list[int]:
        ids: list[int] = self._markup.encode(text, add_special_tokens=False).ids
        return ids

    def chat_text(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        """The chat template applied; `ValueError` where the template refuses or there is none."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            text: str = self._wrapper.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=add_generation_prompt
            )
        except TemplateError as cause:
            raise ValueError(str(cause)) from cause
        return text

    def decode(self, token_ids: Sequence[int]) -> str:
        text: str = self._wrapper.decode(list(token_ids), skip_special_tokens=True)
        return text


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

"""The tokenizer inside a GGUF file, written again in the files that Hugging Face tokenizers load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

from surefoot.embedded.gguf_conversion import read_metadata
from surefoot.errors import CheckpointDamaged

NORMAL, CONTROL = 1, 3
"""The two values of `tokenizer.ggml.token_type` that a byte-level vocabulary with special tokens needs."""

SPECIAL_ROLES: Mapping[str, str] = {
    "bos_token": "tokenizer.ggml.bos_token_id",
    "eos_token": "tokenizer.ggml.eos_token_id",
    "pad_token": "tokenizer.ggml.padding_token_id",
    "unk_token": "tokenizer.ggml.unknown_token_id",
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens by id, merges by rank, the tokens that are control tokens, and the id of each special role."""

    tokens: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]
    control_tokens: tuple[str, ...]
    special_ids: Mapping[str, int]
    chat_template: str

    @property
    def special_tokens(self) -> dict[str, str]:
        """Special roles, such as `eos_token`, and their tokens."""
        return {role: self.tokens[token_id] for role, token_id in self.special_ids.items()}

    @property
    def model_token_ids(self) -> dict[str, int]:
        """What `config.json` and `generation_config.json` say of special tokens."""
        return {f"{role}_id": self.special_ids[role] for role in ("bos_token", "eos_token", "pad_token")}


def read_vocabulary(reader: Any) -> Vocabulary:
    """The vocabulary of a `gguf.GGUFReader`. Raises `CheckpointDamaged` for any but the SmolLM kind of tokenizer."""
    kind = (read_metadata(reader, "tokenizer.ggml.model", str), read_metadata(reader, "tokenizer.ggml.pre", str))
    if kind != ("gpt2", "smollm"):
        raise CheckpointDamaged(f"the GGUF tokenizer is {kind[0]} with {kind[1]}; only gpt2 with smollm is supported")
    tokens = tuple(read_metadata(reader, "tokenizer.ggml.tokens", list))
    types = read_metadata(reader, "tokenizer.ggml.token_type", list)
    if len(types) != len(tokens) or len(set(tokens)) != len(tokens) or not set(types) <= {NORMAL, CONTROL}:
        raise CheckpointDamaged("tokenizer.ggml.tokens repeats a token or does not match tokenizer.ggml.token_type")
    return Vocabulary(
        tokens=tokens,
        merges=tuple(_split_merge(merge) for merge in read_metadata(reader, "tokenizer.ggml.merges", list)),
        control_tokens=tuple(token for token, type_ in zip(tokens, types, strict=True) if type_ == CONTROL),
        special_ids={role: _special_id(reader, key, len(tokens)) for role, key in SPECIAL_ROLES.items()},
        chat_template=read_metadata(reader, "tokenizer.chat_template", str),
    )


def _split_merge(merge: str) -> tuple[str, str]:
    left, separator, right = merge.partition(" ")
    if not (left and separator and right):
        raise CheckpointDamaged("an entry of tokenizer.ggml.merges is not a pair of tokens")
    return left, right


def _special_id(reader: Any, key: str, vocab_size: int) -> int:
    token_id = read_metadata(reader, key, int)
    if token_id >= vocab_size:
        raise CheckpointDamaged(f"{key} is {token_id}, beyond a vocabulary of {vocab_size}")
    return token_id


def tokenizer_json(vocabulary: Vocabulary) -> str:
    """`tokenizer.json`: single digits, then byte-level BPE with GPT-2's word pattern; adds no token around a text.

    A byte that has no token of its own is dropped: an unknown token in its place would be a control token.
    """
    ids = {token: token_id for token_id, token in enumerate(vocabulary.tokens)}
    try:
        tokenizer = Tokenizer(BPE(vocab=ids, merges=list(vocabulary.merges)))
    except Exception as cause:  # the library raises plain Exception when a merge names no token
        raise CheckpointDamaged(
            "tokenizer.ggml.merges names a token that tokenizer.ggml.tokens does not have"
        ) from cause
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in vocabulary.control_tokens])
    return str(tokenizer.to_str())


def tokenizer_config(vocabulary: Vocabulary, context_length: int) -> dict[str, Any]:
    """`tokenizer_config.json`.

    The class is the generic one: `GPT2Tokenizer`, which the original names, rebuilds the splitting without the digits.
    """
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **vocabulary.special_tokens,
        "add_bos_token": False,
        "add_eos_token": False,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": context_length,
        "chat_template": vocabulary.chat_template,
    }

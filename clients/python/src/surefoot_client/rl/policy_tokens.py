"""Where the policy's tokens stand in its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from surefoot_client.rl.decoded_spans import Span, decoded_spans

Spans = NDArray[np.int64]
"""Half-open ranges of Unicode code points, shaped [n, 2]."""


class PolicyTokenizer(Protocol):
    """What is asked of a tokenizer; those of `transformers` have it."""

    @property
    def all_special_ids(self) -> Sequence[int]: ...

    @property
    def is_fast(self) -> bool: ...

    def decode(self, token_ids: Sequence[int], /, *, skip_special_tokens: bool) -> Any: ...

    def __call__(
        self, text: str, /, *, add_special_tokens: bool, return_offsets_mapping: bool, verbose: bool
    ) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True, eq=False)
class PolicyTokens:
    """A completion of the policy and the place of each of its tokens in it.

    `spans` is shaped [num_policy_tokens, 2] and counts Unicode code points of `text`, end exclusive: the
    `offset_mapping` of a fast tokenizer as it is, or any list of pairs. Spans may overlap (bytes of one character) and
    be empty (special tokens). Raises `ValueError` for spans outside the text, as offsets in bytes would be.
    """

    text: str
    spans: Spans

    def __post_init__(self) -> None:
        spans = as_spans(self.spans, "spans")
        if spans.size and (spans.min() < 0 or spans.max() > len(self.text)):
            raise ValueError("spans must lie inside text; they count characters (code points), not bytes")
        object.__setattr__(self, "spans", spans)

    def __len__(self) -> int:
        return len(self.spans)

    @classmethod
    def from_ids(
        cls,
        token_ids: Sequence[int],
        tokenizer: PolicyTokenizer,
        *,
        text: str | None = None,
        skip_special_tokens: bool = True,
    ) -> PolicyTokens:
        """The tokens as the policy sampled them, whether or not its tokenizer would cut the text that way.

        `skip_special_tokens` must be what the completion was decoded with; skipped tokens get an empty span where they
        stand, and between two bytes of a character that character's. Raises `ValueError` where `text` is given and is
        not what the ids decode to.
        """
        ids = [int(token_id) for token_id in token_ids]

        def decode(part: Sequence[int]) -> str:
            return str(tokenizer.decode(part, skip_special_tokens=skip_special_tokens))

        decoded = decode(ids)
        if text is not None and text != decoded:
            raise ValueError(
                "text must be what token_ids decode to; check skip_special_tokens and that nothing trims it"
            )
        skipped = frozenset(tokenizer.all_special_ids) if skip_special_tokens else frozenset()
        spans = _encoded_spans(ids, skipped, decoded, tokenizer) or decoded_spans(ids, decoded, decode)
        return cls(decoded, np.array(spans, dtype=np.int64).reshape(-1, 2))


def as_spans(pairs: object, name: str) -> Spans:
    """`pairs` as an array [n, 2] of its own; `ValueError` for another shape, fractions, or an end before its start."""
    spans = np.array(pairs)
    if spans.size == 0:
        return np.zeros((0, 2), dtype=np.int64)
    if spans.ndim != 2 or spans.shape[1] != 2 or spans.dtype.kind not in "iu":
        raise ValueError(f"{name} must be pairs of integers, shaped [n, 2]")
    if (spans[:, 0] > spans[:, 1]).any():
        raise ValueError(f"{name} must not end before they start")
    return spans.astype(np.int64)


def _encoded_spans(
    ids: Sequence[int], skipped: frozenset[int], text: str, tokenizer: PolicyTokenizer
) -> list[Span] | None:
    """The tokenizer's own offsets, where it cuts `text` into these very ids; one call instead of one for each token."""
    if not tokenizer.is_fast:
        return None
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    if list(encoded["input_ids"]) != [token_id for token_id in ids if token_id not in skipped]:
        return None
    offsets: list[Span] = list(encoded["offset_mapping"])
    spans: list[Span] = []
    num_kept = 0
    for token_id in ids:
        if token_id in skipped:
            end = offsets[num_kept - 1][1] if num_kept else 0
            # The next token begins before that end where both hold bytes of one character.
            spans.append((min([end, *(start for start, _ in offsets[num_kept : num_kept + 1])]), end))
        else:
            spans.append(offsets[num_kept])
            num_kept += 1
    return spans

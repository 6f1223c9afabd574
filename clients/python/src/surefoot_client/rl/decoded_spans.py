"""Where sampled tokens stand in the text that they decode to. Any ids, any tokenizer, no offsets needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Span = tuple[int, int]
Decode = Callable[[Sequence[int]], str]

UNFINISHED = "\ufffd"
"""What decoders write for bytes that are no whole character yet."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How much of the text stands once a token has come; `is_unfinished`: and some bytes of the next character."""

    end: int
    is_unfinished: bool = False


def decoded_spans(ids: Sequence[int], text: str, decode: Decode) -> list[Span]:
    """The half-open range of code points of each token; `text` is what all `ids` decode to.

    A token that adds only some bytes of a character covers that character, as does the one that completes it. A token
    that adds nothing has an empty span.
    """
    reaches = _by_windows(ids, text, decode)
    if reaches is None:
        reaches = _by_prefixes(ids, text, decode)
    ends = [min(len(text), reach.end + reach.is_unfinished) for reach in reaches]
    starts = [0, *(reach.end for reach in reaches)]
    return list(zip(starts[: len(ends)], ends, strict=True))


def _by_windows(ids: Sequence[int], text: str, decode: Decode) -> list[Reach] | None:
    """Decodes each token behind those of the last stretch, which give it its context: linear in the number of tokens.

    `None` where the pieces do not add up to the text, as when bytes spell no character at all.
    """
    reaches: list[Reach] = []
    context = known = known_end = 0
    before = ""
    for position in range(len(ids)):
        now = decode(ids[context : position + 1])
        if not now.startswith(before):
            return None
        piece = now[len(before) :]
        num_common = _num_common(piece, text[known_end : known_end + len(piece)])
        if piece[num_common:].strip(UNFINISHED):
            return None
        reaches.append(Reach(known_end + num_common, num_common < len(piece)))
        if num_common == len(piece):
            context, known, known_end = known, position + 1, known_end + num_common
            before = decode(ids[context:known])
    return reaches if known_end == len(text) else None


def _by_prefixes(ids: Sequence[int], text: str, decode: Decode) -> list[Reach]:
    """Decodes the text up to each token: always right, at a cost that grows with the square of the length."""
    reaches: list[Reach] = []
    end = 0
    for position in range(len(ids)):
        now = decode(ids[: position + 1])
        end = max(end, _num_common(now, text))
        reaches.append(Reach(end, len(now) > end))
    return reaches


def _num_common(first: str, second: str) -> int:
    """How many characters both begin with."""
    if second.startswith(first):
        return len(first)
    pairs = enumerate(zip(first, second, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(first), len(second)))

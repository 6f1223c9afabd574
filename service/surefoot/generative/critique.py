"""A verifier's critique, kept up to where its verdict is read. Pure; nothing that a critique says is ever acted on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from hashlib import blake2b

from surefoot.domain import RenderedInput
from surefoot.errors import BackendFailed
from surefoot.ports import Tokenizer
from surefoot.profiles import GenerativeVerdict
from surefoot.rendering.renderer import read_at_end


def verdict_input(
    spec: GenerativeVerdict, prompt: Sequence[int], critique: Sequence[int], tokenizer: Tokenizer
) -> RenderedInput:
    """Prompt and critique up to and including its last cue, read at their end, where the verdict would come next.

    The critique's tokens stay those that were drawn. Only a cue that is missing is written anew, and what is wanted of
    a token that goes on past the cue. Raises `BackendFailed` for a missing cue where the profile says so.
    """
    text = tokenizer.decode(critique)
    cued = text.rfind(spec.cue)
    if cued >= 0:
        return read_at_end((*prompt, *tokens_up_to(cued + len(spec.cue), critique, tokenizer)))
    if spec.missing_cue == "fail":
        raise BackendFailed("the critique ended without the cue that its verdict is read behind (readout.cue)")
    end = min((place for stop in spec.stop if (place := text.find(stop)) >= 0), default=len(text))
    kept = tokens_up_to(end, critique, tokenizer)
    return read_at_end((*prompt, *kept, *tokenizer.encode_text(spec.cue)))


def tokens_up_to(end: int, token_ids: Sequence[int], tokenizer: Tokenizer) -> list[int]:
    """The fewest first tokens that give the first `end` characters of what `token_ids` decode to.

    The part of a token that reaches beyond them is tokenised anew. Control tokens give no text, so that those at the
    end fall away.
    """
    wanted = tokenizer.decode(token_ids)[:end]
    count = bisect_left(
        range(len(token_ids)), True, key=lambda count: tokenizer.decode(token_ids[:count]).startswith(wanted)
    )
    if tokenizer.decode(token_ids[:count]) == wanted:
        return list(token_ids[:count])
    whole = next(some for some in range(count - 1, -1, -1) if wanted.startswith(tokenizer.decode(token_ids[:some])))
    rest = wanted[len(tokenizer.decode(token_ids[:whole])) :]
    return [*token_ids[:whole], *tokenizer.encode_text(rest)]


def critique_seed(prompt: Sequence[int]) -> int:
    """The seed of a prompt's critiques, within [0, 2**63): equal inputs get equal critiques."""
    digest = blake2b(" ".join(map(str, prompt)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1

"""Texts in parts are tokenised as one text, and each part's end is found again among the tokens."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from surefoot.domain import TextPart
from surefoot.errors import UnsafeText
from surefoot.modeling.tokenizer import HfTokenizer

KINDS = ["qwen2.5-math-prm", "rlhflow-prm", "math-shepherd"]
"""Families with a byte-level vocabulary of ChatML, one of Llama 3.1, and a SentencePiece one."""

few_examples = settings(max_examples=60, deadline=None)
harmless = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<["))
    | st.sampled_from([".\n", "\n\n", " ки", " +"]),
    max_size=5,
)


@pytest.fixture(scope="module", params=KINDS)
def directory(request: pytest.FixtureRequest, tiny) -> Path:
    return tiny(request.param)


@pytest.fixture(scope="module")
def tokenizer(directory: Path) -> HfTokenizer:
    return HfTokenizer.from_directory(directory)


@pytest.fixture(scope="module")
def plain(directory: Path) -> Tokenizer:
    """tokenizer.json as it stands."""
    return Tokenizer.from_file(str(directory / "tokenizer.json"))


@pytest.fixture(scope="module")
def chatml(tiny) -> HfTokenizer:
    return HfTokenizer.from_directory(tiny("qwen2.5-math-prm"))


@pytest.fixture(scope="module")
def metaspace(tiny) -> HfTokenizer:
    return HfTokenizer.from_directory(tiny("math-shepherd"))


def untrusted(*texts: str) -> list[TextPart]:
    return [TextPart(text) for text in texts]


def pieces(tokenizer: HfTokenizer, parts: Sequence[TextPart]) -> list[tuple[int, ...]]:
    """The tokens up to each part's end, from the end of the one before."""
    encoded = tokenizer.encode_parts(parts)
    bounds = [0, *(last + 1 for last in encoded.last_tokens)]
    return [encoded.token_ids[start:end] for start, end in pairwise(bounds)]


@few_examples
@given(texts=harmless)
def test_harmless_parts_are_the_joined_text(tokenizer, plain, texts) -> None:
    joined = plain.encode("".join(texts), add_special_tokens=False).ids
    assert list(tokenizer.encode_parts(untrusted(*texts)).token_ids) == joined


@few_examples
@given(texts=harmless)
def test_ends_of_parts_ascend_to_the_last_token(tokenizer, texts) -> None:
    encoded = tokenizer.encode_parts(untrusted(*texts, "."))
    assert list(encoded.last_tokens) == sorted(encoded.last_tokens)
    assert encoded.last_tokens[-1] == len(encoded.token_ids) - 1


@few_examples
@given(texts=st.lists(st.text("aé答🧮. \n", min_size=1), min_size=1, max_size=4))
def test_a_part_ends_with_the_token_of_its_last_character(tokenizer, plain, texts) -> None:
    """The tokens up to the end say all of the parts so far, and those before the last one do not."""
    encoded, text = tokenizer.encode_parts(untrusted(*texts)), "".join(texts)
    offsets = plain.encode(text, add_special_tokens=False).offsets
    end = 0
    for part, last in zip(texts, encoded.last_tokens, strict=True):
        end += len(part)
        assert offsets[last][0] < end <= offsets[last][1]
        assert all(start >= end for start, _ in offsets[last + 1 :])


def test_a_character_of_several_tokens_ends_with_the_last_of_them(chatml) -> None:
    assert [len(piece) for piece in pieces(chatml, untrusted("é", "答", "a"))] == [2, 3, 1]


def test_a_token_across_a_border_ends_both_parts(chatml) -> None:
    encoded = chatml.encode_parts(untrusted("So.", "\n", "x"))
    assert encoded.last_tokens == (2, 2, 3)
    assert len(encoded.token_ids) == 4


def test_an_empty_part_ends_where_the_one_before_it_ends(chatml) -> None:
    assert chatml.encode_parts(untrusted("", "a", "", "b")).last_tokens == (-1, 0, 0, 1)


def test_no_parts_are_no_tokens(chatml) -> None:
    assert chatml.encode_parts([]).token_ids == ()


def test_control_tokens_are_recognised_in_trusted_parts_alone(chatml) -> None:
    tag = chatml.encode_markup("<extra_0>")
    parts = [TextPart("a<extra_0>"), TextPart("<extra_0>", trusted=True), TextPart("b")]
    assert pieces(chatml, parts) == [
        tuple(chatml.encode_text("a<extra_0>")),
        tuple(tag),
        tuple(chatml.encode_text("b")),
    ]


@pytest.mark.parametrize("trusted", [(False, False), (True, False), (False, True), (True, True)])
def test_a_control_token_across_a_border_is_text(chatml, trusted) -> None:
    first, second = trusted
    encoded = chatml.encode_parts([TextPart("<|im_", trusted=first), TextPart("end|>", trusted=second)])
    assert list(encoded.token_ids) == chatml.encode_text("<|im_end|>")


def test_text_that_spells_a_control_token_is_not_lost(tokenizer) -> None:
    text = "so <s> <|im_end|> <|eot_id|> <extra_0> it is"
    assert tokenizer.decode(tokenizer.encode_parts(untrusted(text)).token_ids).strip() == text


def test_ends_are_right_beside_a_forgery(chatml) -> None:
    parts = [TextPart("é<|im_end|>"), TextPart("<extra_0>", trusted=True), TextPart("So."), TextPart("\n")]
    assert [len(piece) for piece in pieces(chatml, parts)] == [2 + len("<|im_end|>"), 1, 3, 0]


def test_half_a_character_is_refused(tokenizer) -> None:
    with pytest.raises(UnsafeText, match="surrogate"):
        tokenizer.encode_parts(untrusted("a", "\ud800", "b"))


def test_a_space_in_front_belongs_to_the_whole_text_alone(metaspace) -> None:
    assert [len(piece) for piece in pieces(metaspace, untrusted("a", "b"))] == [2, 1]


def test_a_step_tag_is_its_one_token(metaspace) -> None:
    assert pieces(metaspace, untrusted("So x.", " ки", "\nThen"))[1] == tuple(metaspace.encode_text("ки"))

"""Verdict words must be the same single token alone and in their place."""

import pytest

from surefoot.errors import ProfileInvalid
from surefoot.rendering.fake_tokenizer import FakeTokenizer
from surefoot.rendering.verdicts import verdict_token_id


def test_a_single_token_is_its_id() -> None:
    assert verdict_token_id(FakeTokenizer(), "+") == ord("+")


def test_a_word_of_several_tokens_is_refused_with_their_number() -> None:
    with pytest.raises(ProfileInvalid, match="'Yes' is 3 tokens alone and 3 in context") as raised:
        verdict_token_id(FakeTokenizer(), "Yes")
    assert raised.value.param == "readout"


def test_a_word_that_is_another_token_in_its_place_is_refused() -> None:
    class Contextual(FakeTokenizer):
        def encode_markup(self, text: str) -> list[int]:
            ids = super().encode_markup(text)
            return [*ids[:-1], ord("p")] if text.endswith("\n+") else ids

    with pytest.raises(ProfileInvalid):
        verdict_token_id(Contextual(), "+")


def test_a_word_that_merges_with_the_header_is_refused() -> None:
    class Merging(FakeTokenizer):
        def encode_markup(self, text: str) -> list[int]:
            ids = super().encode_markup(text)
            return [*ids[:-2], 1, ord("+")] if text.endswith("\n+") else ids

    with pytest.raises(ProfileInvalid):
        verdict_token_id(Merging(), "+")

"""Verdict words must be the same single token alone and in their place."""

import pytest

from surefoot.errors import ProfileInvalid
from surefoot.profiles import load_profile
from surefoot.rendering.control_tokens import (
    contrast_token_ids,
    control_token_id,
    cued_token_id,
    verdict_token_id,
    word_token_id,
)
from surefoot.rendering.fake_tokenizer import FIRST_CONTROL_ID, FIRST_WORD_ID, FakeTokenizer


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


def test_a_word_alone_is_its_id() -> None:
    assert word_token_id(FakeTokenizer(words=[" +"]), " +") == FIRST_WORD_ID


@pytest.mark.parametrize(("word", "num_tokens"), [("Yes", 3), ("", 0)])
def test_a_word_alone_that_is_not_one_token_is_refused_with_their_number(word, num_tokens) -> None:
    with pytest.raises(ProfileInvalid, match=f"{word!r} is {num_tokens} tokens") as raised:
        word_token_id(FakeTokenizer(), word)
    assert raised.value.param == "readout"


def test_a_word_behind_its_cue_is_its_id() -> None:
    assert cued_token_id(FakeTokenizer(words=[" Yes"]), " Yes", cue="Right?") == FIRST_WORD_ID


@pytest.mark.parametrize(("words", "word"), [([], "Yes"), (["?Y"], "Y"), ([], "")])
def test_a_word_that_is_not_a_token_of_its_own_behind_its_cue_is_refused(words, word) -> None:
    with pytest.raises(ProfileInvalid, match=r"not a single token of its own behind the cue") as raised:
        cued_token_id(FakeTokenizer(words=words), word, cue="Right?")
    assert raised.value.param == "readout"


def test_the_verdicts_of_a_critique_are_found_behind_its_cue() -> None:
    profile = load_profile("thinkprm")
    found = contrast_token_ids(profile, profile.readout, FakeTokenizer.for_profile(profile))
    assert found == [FIRST_WORD_ID, FIRST_WORD_ID + 1]


def test_a_control_token_is_its_id() -> None:
    assert control_token_id(FakeTokenizer(), "<|im_start|>", "tag") == FIRST_CONTROL_ID + 1


@pytest.mark.parametrize("text", ["x", "<extra_0>", ""])
def test_what_is_no_control_token_is_refused_with_its_field(text) -> None:
    with pytest.raises(ProfileInvalid, match=r"rendering\.tag .* is no control token"):
        control_token_id(FakeTokenizer(), text, "tag")

"""The shipped fake tokenizer keeps the port's promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.domain import Message, TextPart
from surefoot.profiles import builtin_names, load_profile
from surefoot.rendering import build_renderer
from surefoot.rendering.fake_tokenizer import CONTROL_TOKENS, FIRST_CONTROL_ID, FIRST_WORD_ID, FakeTokenizer

spelled = st.lists(st.one_of(st.text(max_size=5), st.sampled_from(CONTROL_TOKENS))).map("".join)


@given(spelled)
def test_text_never_becomes_a_control_token(text) -> None:
    assert all(token < FIRST_CONTROL_ID for token in FakeTokenizer().encode_text(text))


@given(spelled)
def test_decoding_gives_the_text_back(text) -> None:
    tokenizer = FakeTokenizer()
    assert tokenizer.decode(tokenizer.encode_text(text)) == text


def test_markup_knows_control_tokens() -> None:
    assert FakeTokenizer().encode_markup("a<|im_end|>\n") == [ord("a"), FIRST_CONTROL_ID + 2, ord("\n")]


def test_decoding_leaves_control_tokens_out() -> None:
    tokenizer = FakeTokenizer()
    assert tokenizer.decode(tokenizer.encode_markup("<s>a<|im_end|>")) == "a"


def test_the_template_is_chatml() -> None:
    text = FakeTokenizer().chat_text([Message("user", "hi")], add_generation_prompt=True)
    assert text == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"


def test_it_may_have_no_bos() -> None:
    assert [FakeTokenizer().bos_token_id, FakeTokenizer(has_bos=False).bos_token_id] == [FIRST_CONTROL_ID, None]


@given(st.lists(spelled, max_size=5))
def test_parts_of_plain_text_are_the_joined_text(texts) -> None:
    tokenizer = FakeTokenizer(words=["aa", ".\n"])
    encoded = tokenizer.encode_parts([TextPart(text) for text in texts])
    assert list(encoded.token_ids) == tokenizer.encode_text("".join(texts))


def test_a_part_ends_with_the_token_of_its_last_character() -> None:
    encoded = FakeTokenizer().encode_parts([TextPart("ab"), TextPart(""), TextPart("<s>", trusted=True)])
    assert encoded.last_tokens == (1, 1, 2)


def test_an_empty_part_in_front_ends_before_the_first_token() -> None:
    assert FakeTokenizer().encode_parts([TextPart(""), TextPart("a")]).last_tokens == (-1, 0)


def test_a_control_token_across_parts_is_text() -> None:
    encoded = FakeTokenizer().encode_parts([TextPart("<|im_", trusted=True), TextPart("end|>")])
    assert max(encoded.token_ids) < FIRST_CONTROL_ID


def test_a_word_is_one_token_wherever_it_stands() -> None:
    assert FakeTokenizer(words=[" ки"]).encode_text("a киb") == [ord("a"), FIRST_WORD_ID, ord("b")]


def test_the_longest_word_wins() -> None:
    assert len(FakeTokenizer(words=["ab", "abc"]).encode_text("abc")) == 1


def test_a_word_across_parts_is_one_token() -> None:
    assert FakeTokenizer(words=[".\n"]).encode_parts([TextPart("a."), TextPart("\nb")]).last_tokens == (1, 2)


def test_further_control_tokens_are_known_to_markup_alone() -> None:
    tokenizer = FakeTokenizer(control_tokens=["<tag>"])
    assert (len(tokenizer.encode_markup("<tag>")), len(tokenizer.encode_text("<tag>"))) == (1, 5)


@pytest.mark.parametrize("name", builtin_names())
def test_it_has_what_a_profile_names(name) -> None:
    profile = load_profile(name)
    build_renderer(profile, FakeTokenizer.for_profile(profile))

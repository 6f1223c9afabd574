"""The shipped fake tokenizer keeps the port's promises."""

from hypothesis import given
from hypothesis import strategies as st

from surefoot.domain import Message
from surefoot.rendering.fake_tokenizer import CONTROL_TOKENS, FIRST_CONTROL_ID, FakeTokenizer

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

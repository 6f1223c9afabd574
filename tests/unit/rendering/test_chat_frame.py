"""Chat templates without their dangers: message text is plain text, and spans say where it stands."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.domain import Message
from surefoot.errors import UnsupportedMessages
from surefoot.rendering import ChatFrame
from surefoot.rendering.chat import conversation
from surefoot.rendering.fake_tokenizer import CONTROL_TOKENS, FIRST_CONTROL_ID, FakeTokenizer

TURNS = [Message("system", "Be short."), Message("user", "2 + 3?"), Message("assistant", "5")]

hostile = st.lists(st.one_of(st.text(max_size=5), st.sampled_from((*CONTROL_TOKENS, "\ue000", "\ue001", "0")))).map(
    "".join
)


def control_tokens(token_ids) -> list[int]:
    return [token for token in token_ids if token >= FIRST_CONTROL_ID]


@pytest.mark.parametrize("prompted", [False, True])
def test_harmless_messages_are_encoded_as_the_template_writes_them(prompted) -> None:
    tokenizer = FakeTokenizer()
    whole = tokenizer.encode_markup(tokenizer.chat_text(TURNS, add_generation_prompt=prompted))
    assert list(ChatFrame(tokenizer).encode(TURNS, add_generation_prompt=prompted).token_ids) == whole


def test_spans_hold_the_contents() -> None:
    encoded = ChatFrame(FakeTokenizer()).encode(TURNS)
    contents = [FakeTokenizer().decode(encoded.token_ids[slice(*span)]) for span in encoded.content_spans]
    assert contents == [message.content for message in TURNS]


@given(st.lists(hostile, min_size=1, max_size=3))
def test_message_text_adds_no_control_token(contents) -> None:
    frame = ChatFrame(FakeTokenizer())
    forged = frame.encode([Message("user", content) for content in contents])
    empty = frame.encode([Message("user", "")] * len(contents))
    assert control_tokens(forged.token_ids) == control_tokens(empty.token_ids)


@given(st.lists(hostile, min_size=1, max_size=3))
def test_message_text_comes_back_as_it_is(contents) -> None:
    encoded = ChatFrame(FakeTokenizer()).encode([Message("user", content) for content in contents])
    decoded = [FakeTokenizer().decode(encoded.token_ids[slice(*span)]) for span in encoded.content_spans]
    assert decoded == [content.strip() for content in contents]


def test_contents_are_stripped() -> None:
    frame = ChatFrame(FakeTokenizer())
    assert frame.encode([Message("user", " \n2 + 3?\t")]) == frame.encode([Message("user", "2 + 3?")])


def test_an_order_that_the_template_refuses_is_unsupported() -> None:
    with pytest.raises(UnsupportedMessages, match="must come first"):
        ChatFrame(FakeTokenizer()).encode([Message("user", "a"), Message("system", "b")])


def test_a_template_that_drops_a_turn_is_unsupported() -> None:
    class Forgetful(FakeTokenizer):
        def chat_text(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
            return super().chat_text(messages[-1:], add_generation_prompt=add_generation_prompt)

    with pytest.raises(UnsupportedMessages, match="drops or repeats"):
        ChatFrame(Forgetful()).encode(TURNS)


def test_a_template_that_repeats_a_turn_is_unsupported() -> None:
    class Stuttering(FakeTokenizer):
        def chat_text(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
            return super().chat_text([*messages, messages[-1]], add_generation_prompt=add_generation_prompt)

    with pytest.raises(UnsupportedMessages, match="drops or repeats"):
        ChatFrame(Stuttering()).encode(TURNS)


def test_the_template_runs_once_per_order_of_roles() -> None:
    class Counting(FakeTokenizer):
        num_calls = 0

        def chat_text(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
            self.num_calls += 1
            return super().chat_text(messages, add_generation_prompt=add_generation_prompt)

    tokenizer = Counting()
    frame = ChatFrame(tokenizer)
    for content in ("a", "b", "c"):
        frame.encode([Message("user", content)])
    assert tokenizer.num_calls == 1


def test_the_profiles_system_message_stands_in_front() -> None:
    assert conversation(TURNS[1:2], "Check.", Message("assistant", "5")) == [Message("system", "Check."), *TURNS[1:]]


def test_the_callers_system_message_goes_before_the_profiles() -> None:
    assert conversation(TURNS[:2], "Check.", TURNS[2]) == TURNS


def test_without_a_system_message_there_is_none() -> None:
    assert conversation((), None, TURNS[1]) == [TURNS[1]]

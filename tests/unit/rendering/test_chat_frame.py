"""Chat templates without their dangers: message text is plain text, and spans say where it stands."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.domain import Message, TextPart
from surefoot.errors import UnsupportedMessages
from surefoot.rendering.chat import ChatFrame, Turn, conversation
from surefoot.rendering.fake_tokenizer import CONTROL_TOKENS, FIRST_CONTROL_ID, FakeTokenizer

MESSAGES = [Message("system", "Be short."), Message("user", "2 + 3?"), Message("assistant", "5")]
TURNS = [Turn.of(message) for message in MESSAGES]

hostile = st.lists(st.one_of(st.text(max_size=5), st.sampled_from((*CONTROL_TOKENS, "\ue000", "\ue001", "0")))).map(
    "".join
)


def control_tokens(token_ids) -> list[int]:
    return [token for token in token_ids if token >= FIRST_CONTROL_ID]


def user(content: str) -> Turn:
    return Turn.of(Message("user", content))


def texts_of(encoded, tokenizer: FakeTokenizer | None = None) -> list[list[str]]:
    """The text of each part of each turn."""
    tokenizer = tokenizer or FakeTokenizer()
    found = []
    for start, lasts in zip(encoded.first_tokens, encoded.last_tokens, strict=True):
        bounds = [start, *(last + 1 for last in lasts)]
        found.append([tokenizer.spelled(encoded.token_ids[a:b]) for a, b in pairwise(bounds)])
    return found


class Trimming(FakeTokenizer):
    """A template that trims its contents and puts spaces of its own around them."""

    def chat_text(self, messages, *, add_generation_prompt, variables=None) -> str:
        return "".join(f"[{message.role}] {message.content.strip()} |" for message in messages)


@pytest.mark.parametrize("prompted", [False, True])
def test_harmless_messages_are_encoded_as_the_template_writes_them(prompted) -> None:
    tokenizer = FakeTokenizer()
    whole = tokenizer.encode_markup(tokenizer.chat_text(MESSAGES, add_generation_prompt=prompted))
    assert list(ChatFrame(tokenizer).encode(TURNS, add_generation_prompt=prompted).token_ids) == whole


def test_places_of_turns_hold_their_texts() -> None:
    assert texts_of(ChatFrame(FakeTokenizer()).encode(TURNS)) == [["Be short."], ["2 + 3?"], ["5"]]


def test_places_of_parts_hold_their_texts() -> None:
    turn = Turn("assistant", (TextPart("a"), TextPart("<|im_end|>", trusted=True), TextPart("bc")))
    assert texts_of(ChatFrame(FakeTokenizer()).encode([TURNS[1], turn])) == [["2 + 3?"], ["a", "<|im_end|>", "bc"]]


@given(st.lists(hostile, min_size=1, max_size=3))
def test_message_text_adds_no_control_token(contents) -> None:
    frame = ChatFrame(FakeTokenizer())
    forged = frame.encode([user(content) for content in contents])
    empty = frame.encode([user("")] * len(contents))
    assert control_tokens(forged.token_ids) == control_tokens(empty.token_ids)


@given(st.lists(hostile, min_size=1, max_size=3))
def test_message_text_comes_back_as_it_is(contents) -> None:
    encoded = ChatFrame(FakeTokenizer()).encode([user(content) for content in contents])
    assert texts_of(encoded) == [[content] for content in contents]


@pytest.mark.parametrize("content", [" \n2 + 3?\t", " ", ""])
def test_white_space_stays_where_the_template_keeps_it(content) -> None:
    assert texts_of(ChatFrame(FakeTokenizer()).encode([user(content)])) == [[content]]


@pytest.mark.parametrize("content", [" \n2 + 3?\t", "2 + 3?"])
def test_white_space_goes_where_the_template_trims(content) -> None:
    tokenizer = Trimming()
    written = tokenizer.spelled(ChatFrame(tokenizer).encode([user(content)]).token_ids)
    assert written == "[user] 2 + 3? |"


def test_a_turn_in_parts_is_trimmed_at_its_ends_alone() -> None:
    tokenizer = Trimming()
    turn = Turn("user", (TextPart(" "), TextPart(" a "), TextPart("b "), TextPart("\n")))
    assert texts_of(ChatFrame(tokenizer).encode([turn])) == [["", "a ", "b", ""]]


def test_white_space_after_the_last_turn_may_be_dropped() -> None:
    tokenizer = FakeTokenizer()
    assert tokenizer.spelled(ChatFrame(tokenizer).encode(TURNS[1:2], trim_end=True).token_ids).endswith("3?<|im_end|>")


def test_variables_reach_the_template() -> None:
    class Dated(FakeTokenizer):
        def chat_text(self, messages, *, add_generation_prompt, variables=None) -> str:
            return (variables or {})["date"] + super().chat_text(messages, add_generation_prompt=False)

    tokenizer = Dated()
    written = tokenizer.spelled(ChatFrame(tokenizer, {"date": "today"}).encode(TURNS[1:2]).token_ids)
    assert written.startswith("today<|im_start|>user")


def test_an_order_that_the_template_refuses_is_unsupported() -> None:
    with pytest.raises(UnsupportedMessages, match="must come first"):
        ChatFrame(FakeTokenizer()).encode([user("a"), Turn.of(Message("system", "b"))])


def test_a_template_that_drops_a_turn_is_unsupported() -> None:
    class Forgetful(FakeTokenizer):
        def chat_text(self, messages: Sequence[Message], *, add_generation_prompt: bool, variables=None) -> str:
            return super().chat_text(messages[-1:], add_generation_prompt=add_generation_prompt)

    with pytest.raises(UnsupportedMessages, match="drops or repeats"):
        ChatFrame(Forgetful()).encode(TURNS)


def test_a_template_that_repeats_a_turn_is_unsupported() -> None:
    class Stuttering(FakeTokenizer):
        def chat_text(self, messages: Sequence[Message], *, add_generation_prompt: bool, variables=None) -> str:
            return super().chat_text([*messages, messages[-1]], add_generation_prompt=add_generation_prompt)

    with pytest.raises(UnsupportedMessages, match="drops or repeats"):
        ChatFrame(Stuttering()).encode(TURNS)


def test_the_template_runs_once_per_order_of_roles() -> None:
    class Counting(FakeTokenizer):
        num_calls = 0

        def chat_text(self, messages: Sequence[Message], *, add_generation_prompt: bool, variables=None) -> str:
            self.num_calls += 1
            return super().chat_text(messages, add_generation_prompt=add_generation_prompt)

    tokenizer = Counting()
    frame = ChatFrame(tokenizer)
    for content in ("a", "b", "c"):
        frame.encode([user(content)])
    assert tokenizer.num_calls == 1


def test_the_profiles_system_message_stands_in_front() -> None:
    check = Turn.of(Message("system", "Check."))
    assert conversation(MESSAGES[1:2], "Check.", TURNS[2]) == [check, *TURNS[1:]]


def test_the_callers_system_message_goes_before_the_profiles() -> None:
    assert conversation(MESSAGES[:2], "Check.", TURNS[2]) == TURNS


def test_without_a_system_message_there_is_none() -> None:
    assert conversation((), None, TURNS[1]) == [TURNS[1]]

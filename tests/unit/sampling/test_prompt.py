"""Prompts of a policy: the conversation, what the answer begins with, and what has no room."""

import pytest

from surefoot.domain import Message
from surefoot.errors import InputTooLong
from surefoot.rendering.fake_tokenizer import FIRST_CONTROL_ID, FakeTokenizer
from surefoot.sampling.prompt import PromptEncoder

MESSAGES = [Message("user", "2 + 3?")]
OPENED = "<|im_start|>user\n2 + 3?<|im_end|>\n<|im_start|>assistant\n"


def spelled(messages: list[Message], beginning: str = "", room: int = 200) -> str:
    tokenizer = FakeTokenizer(has_bos=False)
    return tokenizer.spelled(PromptEncoder(tokenizer, room).encode(messages, beginning))


def test_a_prompt_ends_where_the_assistant_begins() -> None:
    assert spelled(MESSAGES) == OPENED


def test_a_beginning_stands_in_the_assistants_open_turn() -> None:
    assert spelled(MESSAGES, "2 + 3 = 5\n") == f"{OPENED}2 + 3 = 5\n"


def test_a_beginning_cannot_end_the_turn() -> None:
    encoder = PromptEncoder(FakeTokenizer(has_bos=False), 200)
    added = encoder.encode(MESSAGES, "<|im_end|>")[len(encoder.encode(MESSAGES)) :]
    assert added == tuple(map(ord, "<|im_end|>"))
    assert max(added) < FIRST_CONTROL_ID


def test_a_beginning_counts_into_the_context() -> None:
    encoder = PromptEncoder(FakeTokenizer(has_bos=False), 60)
    opened = len(encoder.encode(MESSAGES))
    encoder.encode(MESSAGES, "x" * (59 - opened))
    with pytest.raises(InputTooLong, match="60 tokens, limit 59"):
        encoder.encode(MESSAGES, "x" * (60 - opened))


def test_a_beginning_that_is_far_too_long_is_not_tokenised() -> None:
    with pytest.raises(InputTooLong, match="at least"):
        spelled(MESSAGES, "x" * 1000)

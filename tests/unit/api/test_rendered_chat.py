"""Conversations that a trainer rendered are read back into the turns that they were made of, or refused."""

import time
from contextlib import suppress

import pytest

from surefoot.api.dialects.rendered_chat import completed_task, read_turns, rendered_task, without_end
from surefoot.domain import Message, ScoreTask
from surefoot.errors import UnsupportedMessages

RENDERED = {
    "chatml": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n2 + 3?<|im_end|>\n<|im_start|>assistant\n5.",
    "llama3": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\n2 + 3?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n5.<|eot_id|>",
    "gemma": "<bos><start_of_turn>system\nBe brief.<end_of_turn>\n<start_of_turn>user\n2 + 3?<end_of_turn>\n"
    "<start_of_turn>model\n5.<end_of_turn>\n",
    "tagged": "<|system|>\nBe brief.<|end|>\n<|user|>\n2 + 3?<|end|>\n<|assistant|>\n5.<|end|>",
}
TASK = ScoreTask("2 + 3?", solution="5.", context=(Message("system", "Be brief."),))
PROMPT = "<|im_start|>user\n2 + 3?<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize("text", RENDERED.values(), ids=RENDERED)
def test_a_whole_conversation_is_read_back(text) -> None:
    assert rendered_task(text) == TASK


@pytest.mark.parametrize("text", RENDERED.values(), ids=RENDERED)
def test_a_prompt_and_its_response_are_the_same_task(text) -> None:
    prompt = text[: text.rindex("5.")]
    assert completed_task(prompt, text[text.rindex("5.") :]) == TASK


def test_a_plain_prompt_is_the_problem() -> None:
    assert completed_task("2 + 3?", "5.</s>") == ScoreTask("2 + 3?", solution="5.")


def test_what_a_template_begins_an_answer_with_belongs_to_the_solution() -> None:
    assert completed_task(f"{PROMPT}<think>\n", "5.") == ScoreTask("2 + 3?", solution="<think>\n5.")


@pytest.mark.parametrize("text", ["2 + 3?", "a < b | c > d", "", "I like <angle> brackets"])
def test_a_plain_text_has_no_turns(text) -> None:
    assert read_turns(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "[INST] 2 + 3? [/INST] 5.",
        "<｜User｜>2 + 3?<｜Assistant｜>5.",
        "So <|im_start|>user\n2 + 3?<|im_end|>",
        "<|im_start|>critic\n2 + 3?<|im_end|>",
        "<|user|>\n2 + 3?<|assistant|>\n5.",
        "<|im_start|>user\n2 + 3?<|im_end|> and then <|im_start|>assistant\n5.",
    ],
)
def test_marks_that_cannot_be_read_back_are_refused(text) -> None:
    with pytest.raises(UnsupportedMessages, match="chat template"):
        read_turns(text)


@pytest.mark.parametrize("text", ["It is 5.", PROMPT.removesuffix("<|im_start|>assistant\n")])
def test_a_conversation_without_a_solution_is_refused(text) -> None:
    with pytest.raises(UnsupportedMessages):
        rendered_task(text)


def test_a_prompt_that_does_not_end_with_a_user_is_refused() -> None:
    with pytest.raises(UnsupportedMessages, match="last user turn"):
        completed_task("<|im_start|>system\nHm.<|im_end|>\n", "5.")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("5.", "5."),
        ("5.\n", "5.\n"),
        ("5.<|im_end|>", "5."),
        ("5.\n<|im_end|>\n<|endoftext|>", "5.\n"),
        ("</s></s>", ""),
        ("a</s>b", "a</s>b"),
    ],
)
def test_only_tokens_at_the_end_are_cut(text, kept) -> None:
    assert without_end(text) == kept


@pytest.mark.parametrize(
    "text", [" " * 300_000 + "x", "</s>" * 100_000 + "x", "</s>" * 100_000, "<|im_start|>" * 50_000]
)
def test_no_text_takes_long(text) -> None:
    started = time.perf_counter()
    without_end(text)
    with suppress(UnsupportedMessages):
        read_turns(text)
    assert time.perf_counter() - started < 2

"""Conversations that a trainer has already rendered with its policy's chat template, read back into turns.

A rendered text shows where the problem ends only where its template is one of these. Anything else that holds a
template's marks is refused: scored as plain text it would give numbers that look right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from surefoot.api.schemas.common import MessageIn, split_conversation, split_scored_conversation
from surefoot.domain import ScoreTask
from surefoot.errors import UnsupportedMessages

ChatFormat = Literal["chatml", "llama3", "gemma", "tagged"]

_ENDS = (
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<end_of_turn>", "<|end|>", "<eos>", "<pad>", "</s>"
)  # fmt: skip
_BEGINNING = re.compile(r"\s*(?:<\|begin_of_text\|>|<bos>|<s>)?\s*")

_TURNS: Mapping[ChatFormat, re.Pattern[str]] = {
    "chatml": re.compile(r"<\|im_start\|>(?P<role>\w+)\n(?P<text>.*?)(?:<\|im_end\|>\s*|\Z)", re.DOTALL),
    "llama3": re.compile(
        r"<\|start_header_id\|>(?P<role>\w+)<\|end_header_id\|>\n\n(?P<text>.*?)(?:<\|eot_id\|>\s*|\Z)", re.DOTALL
    ),
    "gemma": re.compile(r"<start_of_turn>(?P<role>\w+)\n(?P<text>.*?)(?:<end_of_turn>\s*|\Z)", re.DOTALL),
    "tagged": re.compile(
        r"<\|(?P<role>system|user|assistant)\|>\n(?P<text>.*?)(?:(?:<\|end\|>|</s>)\s*|\Z)", re.DOTALL
    ),
}
_MARKS = re.compile(r"<\|(?:im_start|start_header_id|user|assistant)\|>|<start_of_turn>|\[/INST\]|<｜User｜>")
_ROLES = {"system": "system", "user": "user", "assistant": "assistant", "model": "assistant"}


def read_turns(text: str) -> list[MessageIn] | None:
    """The turns of a rendered conversation; the last one may be begun and not ended. `None` for a plain text.

    Raises `UnsupportedMessages` for the marks of a template that is none of `ChatFormat`.
    """
    beginning = _BEGINNING.match(text)
    start = beginning.end() if beginning else 0
    for turn in _TURNS.values():
        turns = _all_turns(turn, text, start)
        if turns:
            return turns
    if _MARKS.search(text):
        raise UnsupportedMessages(
            f"this is rendered with a chat template that is not read back here ({', '.join(_TURNS)} are); "
            "send the problem without a template, or messages",
        )
    return None


def without_end(text: str) -> str:
    """The text without the tokens that end a turn, which a policy's own decoding may leave behind it."""
    end = len(text)
    while True:
        behind = end
        while behind > 0 and text[behind - 1].isspace():
            behind -= 1
        token = next((token for token in _ENDS if text.endswith(token, 0, behind)), None)
        if token is None:
            return text[:end]
        end = behind - len(token)


def completed_task(prompt: str | Sequence[MessageIn], response: str) -> ScoreTask:
    """A prompt, plain, rendered or as messages, with what a policy wrote for it.

    What a template has the answer begin with belongs to the solution. Raises `UnsupportedMessages` for a prompt that
    does not end with a user's turn.
    """
    turns = read_turns(prompt) if isinstance(prompt, str) else list(prompt)
    if turns is None:
        return ScoreTask(str(prompt), solution=without_end(response))
    begun = turns.pop().content if turns and turns[-1].role == "assistant" else ""
    try:
        context, problem = split_conversation(turns)
    except ValueError as cause:
        raise UnsupportedMessages(f"the prompt cannot be read: {cause}") from cause
    return ScoreTask(problem, solution=begun + without_end(response), context=context)


def rendered_task(text: str) -> ScoreTask:
    """A whole rendered conversation that ends with the solution.

    Raises `UnsupportedMessages` for a plain text, which does not show where the problem ends, and for one that ends
    otherwise.
    """
    turns = read_turns(text)
    if turns is None:
        raise UnsupportedMessages(
            "a text does not show where the problem ends; send messages, a pair of problem and solution, or the "
            "conversation as a chat template renders it"
        )
    try:
        context, problem, solution = split_scored_conversation(turns)
    except ValueError as cause:
        raise UnsupportedMessages(f"the conversation cannot be read: {cause}") from cause
    return ScoreTask(problem, solution=solution, context=context)


def _all_turns(turn: re.Pattern[str], text: str, start: int) -> list[MessageIn] | None:
    turns: list[MessageIn] = []
    while start < len(text):
        found = turn.match(text, start)
        role = _ROLES.get(found["role"]) if found else None
        # A turn that holds the beginning of another one ends otherwise than this format's do.
        if found is None or role is None or _MARKS.search(found["text"]):
            return None
        turns.append(MessageIn.model_validate({"role": role, "content": without_end(found["text"])}))
        start = found.end()
    return turns

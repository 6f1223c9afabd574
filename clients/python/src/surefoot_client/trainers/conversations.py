"""From a trainer's prompt and completion, as text or as messages, to an item to score."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Prompt = str | Sequence[Mapping[str, object]]

_TURN_BEGINS = re.compile(r"<\|(?:im_start|start_header_id|user|assistant)\|>|<start_of_turn>|\[INST\]|<｜User｜>")


def item_of(prompt: Prompt, completion: Prompt, problem: str | None = None) -> dict[str, object]:
    """The item for `/score`.

    The problem is `problem` where it is given, else a prompt that is plain text, else the one user turn of a prompt
    made of messages. A prompt with more turns is sent as a conversation. System turns are left out: they instruct the
    policy, and a reward model has instructions of its own.

    Raises `ValueError` for messages without a user's turn and for a text that a chat template rendered, and `TypeError`
    for content that is no text.
    """
    solution = completion_text(completion)
    if problem is not None:
        return {"problem": problem, "solution": solution}
    if isinstance(prompt, str):
        refuse_rendered(prompt, "name the column that holds the problem")
        return {"problem": prompt, "solution": solution}
    turns = [{"role": _role(message), "content": _content(message)} for message in prompt]
    turns = [turn for turn in turns if turn["role"] not in ("system", "developer")]
    if not any(turn["role"] == "user" for turn in turns):
        raise ValueError("a prompt of messages needs a user turn; else name the column that holds the problem")
    if len(turns) == 1:
        return {"problem": turns[0]["content"], "solution": solution}
    return {"messages": [*turns, {"role": "assistant", "content": solution}]}


def completion_text(completion: Prompt) -> str:
    """What the policy wrote: the text itself, or that of its assistant turns, which tool turns may stand between."""
    if isinstance(completion, str):
        return completion
    return "\n\n".join(_content(message) for message in completion if _role(message) == "assistant")


def refuse_rendered(prompt: str, remedy: str) -> None:
    """Raise `ValueError` for a text with a template's turns, which a reward model would score, but not as meant."""
    if _TURN_BEGINS.search(prompt):
        raise ValueError(f"the prompt was rendered with a chat template: {remedy}")


def _role(message: Mapping[str, object]) -> str:
    return str(message.get("role"))


def _content(message: Mapping[str, object]) -> str:
    """The text of a turn; `None`, as of a turn that only calls a tool, is empty."""
    content = message.get("content")
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "".join(_text_of(part) for part in content)
    raise TypeError("the content of a message must be text or a list of parts")


def _text_of(part: object) -> str:
    if isinstance(part, Mapping) and isinstance(text := part.get("text"), str):
        return text
    raise TypeError("every part of a message must be text; name the column that holds the problem as text")

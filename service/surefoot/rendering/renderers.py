"""One renderer per way of writing a problem and its steps for a reward model.

A renderer gives token ids and the positions where the model is read: one per step for process models, one for
outcome models. Positions are carried from here on; nothing searches for a tag afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from surefoot.domain import Message, RenderedInput, ScoreTask, Solution
from surefoot.errors import UnsupportedMessages
from surefoot.ports import Tokenizer
from surefoot.profiles import ChatSolution, FinalVerdict, SeparatedSteps, VerdictTurns
from surefoot.rendering.chat import ChatFrame, conversation

_FIELD = re.compile(r"\{(problem|solution|step|index)\}")


class Renderer(Protocol):
    """Writes one task for one model."""

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        """Tokens and readout positions. Raises an `ItemError` for what the family cannot express."""
        ...


def fill(template: str, values: Mapping[str, str]) -> str:
    """`template` with its {fields} replaced in one pass: braces inside the values stay text."""
    return _FIELD.sub(lambda match: values.get(match[1], match[0]), template)


class VerdictTurnsRenderer:
    """One user turn a step, the assistant's turn a verdict; read at the token before each verdict."""

    def __init__(self, spec: VerdictTurns, tokenizer: Tokenizer) -> None:
        self._spec = spec
        self._frame = ChatFrame(tokenizer)

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        turns: list[Message] = []
        for index, step in enumerate(solution.steps):
            template = self._spec.turn if index else self._spec.first_turn
            values = {"problem": task.problem, "step": step.text, "index": str(index + 1)}
            turns += (Message("user", fill(template, values)), Message("assistant", self._spec.verdict))
        messages = conversation(task.context, self._spec.system, *turns)
        encoded = self._frame.encode(messages)
        first = len(messages) - len(turns)
        positions = tuple(start - 1 for start, _ in encoded.content_spans[first + 1 :: 2])
        # The last verdict is never read, yet it stays: bf16 attention rounds differently at another length, by as much
        # as 0.03 in a score, so the input must be exactly what the reference sees.
        return RenderedInput(encoded.token_ids, positions)


class FinalVerdictRenderer:
    """Problem and solution in one user turn; read where the assistant's answer would begin."""

    def __init__(self, spec: FinalVerdict, tokenizer: Tokenizer) -> None:
        self._spec = spec
        self._frame = ChatFrame(tokenizer)

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        turn = Message("user", fill(self._spec.turn, {"problem": task.problem, "solution": solution.text}))
        messages = conversation(task.context, self._spec.system, turn)
        return read_at_end(self._frame.encode(messages, add_generation_prompt=True).token_ids)


class SeparatedStepsRenderer:
    """[bos] + prompt + (step + separator)*, each piece tokenised alone; read at each separator's last token."""

    def __init__(self, spec: SeparatedSteps, tokenizer: Tokenizer) -> None:
        self._spec = spec
        self._tokenizer = tokenizer
        self._separator = tokenizer.encode_text(spec.separator)

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        if task.context:
            raise UnsupportedMessages("this model reads a problem and a solution, not a conversation", param="messages")
        bos = self._tokenizer.bos_token_id
        token_ids = [bos] if self._spec.bos and bos is not None else []
        token_ids += self._tokenizer.encode_text(fill(self._spec.prompt, {"problem": task.problem}))
        positions: list[int] = []
        for step in solution.steps:
            token_ids += self._tokenizer.encode_text(step.text)
            token_ids += self._separator
            positions.append(len(token_ids) - 1)
        return RenderedInput(tuple(token_ids), tuple(positions))


class ChatSolutionRenderer:
    """The conversation as the chat template writes it; read at its last token."""

    def __init__(self, spec: ChatSolution, tokenizer: Tokenizer) -> None:
        self._spec = spec
        self._frame = ChatFrame(tokenizer)

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        turns = (Message("user", task.problem), Message("assistant", solution.text))
        messages = conversation(task.context, self._spec.system, *turns)
        return read_at_end(self._frame.encode(messages).token_ids)


def read_at_end(token_ids: tuple[int, ...]) -> RenderedInput:
    """An input that is read at its last token."""
    return RenderedInput(token_ids, (len(token_ids) - 1,))

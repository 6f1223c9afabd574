"""Renderers through the model's chat template."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.domain import Message, RenderedInput, ScoreTask, Solution, TextPart
from surefoot.ports import Tokenizer
from surefoot.profiles import ChatRendering, ChatSolution, ChatSteps, FinalVerdict, TaggedChat, VerdictTurns
from surefoot.rendering.chat import ChatEncoding, ChatFrame, Turn, conversation
from surefoot.rendering.control_tokens import control_token_id
from surefoot.rendering.renderer import fill, numbered, read_at_end


class _InChat:
    """Encodes the caller's earlier turns and the renderer's own."""

    def __init__(self, spec: ChatRendering, tokenizer: Tokenizer) -> None:
        self._system = spec.system
        self._frame = ChatFrame(tokenizer, spec.template_variables)

    def _encode(
        self, task: ScoreTask, *turns: Turn, prompted: bool = False, trim_end: bool = False, opening: str = ""
    ) -> tuple[ChatEncoding, int]:
        """The conversation, and the index in it of the first of `turns`."""
        messages = conversation(task.context, self._system, *turns)
        encoded = self._frame.encode(messages, add_generation_prompt=prompted, trim_end=trim_end, opening=opening)
        return encoded, len(messages) - len(turns)


class VerdictTurnsRenderer(_InChat):
    """One user turn a step, the assistant's turn a verdict; read at the token before each verdict."""

    def __init__(self, spec: VerdictTurns, tokenizer: Tokenizer) -> None:
        super().__init__(spec, tokenizer)
        self._spec = spec

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        turns: list[Turn] = []
        for index, step in enumerate(solution.steps):
            template = self._spec.turn if index else self._spec.first_turn
            values = {"problem": task.problem, "step": step.text, "index": str(index + 1)}
            turns.append(Turn.of(Message("user", fill(template, values))))
            turns.append(Turn.of(Message("assistant", self._spec.verdict)))
        encoded, first = self._encode(task, *turns)
        # The last verdict is never read, yet it stays: bf16 attention rounds differently at another length, by as much
        # as 0.03 in a score, so the input must be exactly what the reference sees.
        return RenderedInput(encoded.token_ids, tuple(start - 1 for start in encoded.first_tokens[first + 1 :: 2]))


class FinalVerdictRenderer(_InChat):
    """Problem and solution in one user turn; read where the assistant's answer begins."""

    def __init__(self, spec: FinalVerdict, tokenizer: Tokenizer) -> None:
        super().__init__(spec, tokenizer)
        self._spec = spec

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        values = {"problem": task.problem, "solution": self._written(solution)}
        turn = Turn.of(Message("user", fill(self._spec.turn, values)))
        if self._spec.verdict is None:
            return read_at_end(self._encode(task, turn, prompted=True, opening=self._spec.opening)[0].token_ids)
        encoded, _ = self._encode(task, turn, Turn.of(Message("assistant", self._spec.verdict)))
        return RenderedInput(encoded.token_ids, (encoded.first_tokens[-1] - 1,))

    def _written(self, solution: Solution) -> str:
        template = self._spec.step
        if template is None:
            return solution.text
        return "\n".join(numbered(template, index, step.text) for index, step in enumerate(solution.steps))


class ChatSolutionRenderer(_InChat):
    """The conversation as the chat template writes it; read at its last token, or at one put after it."""

    def __init__(self, spec: ChatSolution, tokenizer: Tokenizer) -> None:
        super().__init__(spec, tokenizer)
        self._trim_end = spec.trim_end
        self._appended = () if spec.append is None else (control_token_id(tokenizer, spec.append, "append"),)

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        turns = (Turn.of(Message("user", task.problem)), Turn.of(Message("assistant", solution.text)))
        encoded, _ = self._encode(task, *turns, trim_end=self._trim_end)
        return read_at_end(encoded.token_ids + self._appended)


class TaggedChatRenderer(_InChat):
    """A control token after each step of the assistant's turn; read at each of them."""

    def __init__(self, spec: TaggedChat, tokenizer: Tokenizer) -> None:
        super().__init__(spec, tokenizer)
        control_token_id(tokenizer, spec.tag, "tag")
        self._tag = TextPart(spec.tag, trusted=True)

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        parts = tuple(part for step in solution.steps for part in (TextPart(step.text), self._tag))
        encoded, _ = self._encode(task, Turn.of(Message("user", task.problem)), Turn("assistant", parts))
        return RenderedInput(encoded.token_ids, encoded.last_tokens[-1][1::2])


class ChatStepsRenderer(_InChat):
    """Numbered steps joined in the assistant's turn; read at each step's end, or where the boundary says."""

    def __init__(self, spec: ChatSteps, tokenizer: Tokenizer) -> None:
        super().__init__(spec, tokenizer)
        self._spec = spec
        self._joiner_tokens = len(tokenizer.encode_text(spec.joiner))

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        steps = [numbered(self._spec.step, index, step.text) for index, step in enumerate(solution.steps)]
        encoded = self._encode_steps(task, steps)
        start = encoded.first_tokens[-1]
        if self._spec.boundary == "step_end":
            return RenderedInput(encoded.token_ids, encoded.last_tokens[-1][0::2], start)
        return RenderedInput(encoded.token_ids, self._as_eurus_counts(task, steps, encoded), start - 1)

    def _as_eurus_counts(self, task: ScoreTask, steps: Sequence[str], whole: ChatEncoding) -> tuple[int, ...]:
        """Behind a beginning's last step come the end of its turn and the joiner; only the whole has no joiner."""
        ends = [self._encode_steps(task, steps[:count]).last_tokens[-1][-1] for count in range(1, len(steps))]
        last = whole.last_tokens[-1][-1] + 1
        return (*(min(end + 1 + self._joiner_tokens, last) for end in ends), last)

    def _encode_steps(self, task: ScoreTask, steps: Sequence[str]) -> ChatEncoding:
        parts = [part for step in steps for part in (TextPart(step), TextPart(self._spec.joiner))][:-1]
        return self._encode(task, Turn.of(Message("user", task.problem)), Turn("assistant", tuple(parts)))[0]

"""Renderers of plain text, for models that know no chat."""

from __future__ import annotations

from surefoot.domain import RenderedInput, ScoreTask, Solution, TextPart
from surefoot.errors import ProfileInvalid, UnsafeText, UnsupportedMessages
from surefoot.ports import Tokenizer
from surefoot.profiles import SeparatedSteps, TaggedText
from surefoot.rendering.renderer import fill, numbered


class SeparatedStepsRenderer:
    """[bos] + earlier turns + prompt + (step + separator)*, each piece tokenised alone.

    Read at each separator's last token, or the one before it.
    """

    def __init__(self, spec: SeparatedSteps, tokenizer: Tokenizer) -> None:
        self._spec = spec
        self._tokenizer = tokenizer
        self._separator = tokenizer.encode_text(spec.separator)
        self._back = {"last": 1, "before_last": 2}[spec.read]

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        token_ids = _beginning(self._tokenizer, bos=self._spec.bos)
        if self._spec.earlier_turn is None:
            _refuse_context(task)
        else:
            for turn in task.context:
                token_ids += self._tokenizer.encode_text(fill(self._spec.earlier_turn, {"text": turn.content}))
        token_ids += self._tokenizer.encode_text(fill(self._spec.prompt, {"problem": task.problem}))
        positions: list[int] = []
        for index, step in enumerate(solution.steps):
            token_ids += self._tokenizer.encode_text(step.text) + self._separator
            positions.append(len(token_ids) - self._back)
            if self._spec.blank_lines:
                token_ids += self._separator * _blank_lines_after(solution, index)
        return RenderedInput(tuple(token_ids), tuple(positions))


class TaggedTextRenderer:
    """[bos] + the prompt, the steps and their tags tokenised as one text; read at each tag's last token."""

    def __init__(self, spec: TaggedText, tokenizer: Tokenizer) -> None:
        self._spec = spec
        self._tokenizer = tokenizer
        self._tag_id = _single_tag_id(spec, tokenizer) if spec.tag_is_one_token else None

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        """Raises `UnsafeText` where a step swallows its tag: the model was never shown such a place."""
        _refuse_context(task)
        spec = self._spec
        parts = [TextPart(fill(spec.prompt, {"problem": task.problem}))]
        for index, step in enumerate(solution.steps):
            joiner = spec.joiner if index else ""
            parts += [TextPart(joiner + numbered(spec.step, index, step.text)), TextPart(spec.tag)]
        encoded = self._tokenizer.encode_parts(parts)
        before = _beginning(self._tokenizer, bos=spec.bos)
        positions = tuple(len(before) + place for place in encoded.last_tokens[2::2])
        token_ids = (*before, *encoded.token_ids)
        if self._tag_id is not None:
            for index, place in enumerate(positions):
                if token_ids[place] != self._tag_id:
                    raise UnsafeText(f"the end of step {index} merges with the step tag, which is then not read")
        return RenderedInput(token_ids, positions)


def _single_tag_id(spec: TaggedText, tokenizer: Tokenizer) -> int:
    """The one token that the tag is after a step, at the end as well as in front of the next one."""
    found: list[tuple[int, ...]] = []
    for after in ("", spec.joiner + fill(spec.step, {"index": "2", "step": "So"})):
        encoded = tokenizer.encode_parts([TextPart("Then 1 + 1 = 2."), TextPart(spec.tag), TextPart(after)])
        before, last = encoded.last_tokens[:2]
        found.append(encoded.token_ids[before + 1 : last + 1])
    at_end, inside = found
    if len(at_end) != 1 or inside != at_end:
        what = f"{len(at_end)} tokens" if len(at_end) != 1 else "another token in front of a step than at the end"
        raise ProfileInvalid(
            f"rendering.tag {spec.tag!r} is {what} in this tokenizer, it must be one and the same: another profile is "
            "meant for this checkpoint, or its tokenizer lacks the tag",
            param="rendering",
        )
    return at_end[0]


def _beginning(tokenizer: Tokenizer, *, bos: bool) -> list[int]:
    return [tokenizer.bos_token_id] if bos and tokenizer.bos_token_id is not None else []


def _blank_lines_after(solution: Solution, index: int) -> int:
    """Line ends between this step and the next, beyond the one that ends the step."""
    if index + 1 == len(solution.steps):
        return 0
    gap = solution.text[solution.steps[index].span[1] : solution.steps[index + 1].span[0]]
    return max(0, gap.count("\n") - 1)


def _refuse_context(task: ScoreTask) -> None:
    if task.context:
        raise UnsupportedMessages("this model reads a problem and a solution, not a conversation", param="messages")

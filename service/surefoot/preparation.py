"""What is done before anything is computed: a task split into steps and rendered, or the error in its place."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from surefoot.domain import RenderedInput, ScoreTask, Solution, Usage
from surefoot.errors import EmptyProblem, InputTooLong, ItemError, TooManySteps
from surefoot.forest import count_unique_tokens
from surefoot.ports import Telemetry
from surefoot.profiles import Overflow, Profile
from surefoot.rendering import Renderer
from surefoot.segmentation import join_steps, split_solution

log = logging.getLogger(__name__)

_Error = TypeVar("_Error", bound=Exception)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task ready to run: its input; for an outcome trace, one input per step with the whole solution last."""

    solution: Solution
    inputs: tuple[RenderedInput, ...]


class Preparation:
    """Splits and renders the tasks of one model."""

    def __init__(
        self,
        name: str,
        profile: Profile,
        renderer: Renderer,
        telemetry: Telemetry,
        *,
        max_input_tokens: int,
        max_steps: int,
        fewest_tokens: Callable[[str], int],
    ) -> None:
        """`fewest_tokens` is the tokenizer's cheap lower bound: what cannot fit is neither split nor tokenised."""
        self.max_input_tokens = min(max_input_tokens, profile.max_input_tokens or max_input_tokens)
        self._name = name
        self._profile = profile
        self._renderer = renderer
        self._telemetry = telemetry
        self._max_steps = max_steps
        self._fewest_tokens = fewest_tokens

    def prepare_group(self, tasks: Sequence[ScoreTask], *, trace: bool) -> list[Prepared | Exception]:
        """Each task as it is forwarded, or the error that stands in its place."""
        started = time.perf_counter()
        prepared: list[Prepared | Exception] = []
        for task in tasks:
            try:
                prepared.append(self.prepare(task, trace=trace))
            except ItemError as error:
                prepared.append(without_frames(error))
            except Exception as error:  # noqa: BLE001  whatever a tokenizer does with one text, its neighbours go on
                # The class alone: a message may quote the text.
                log.error("%s: an item could not be prepared: %s", self._name, type(error).__name__)  # noqa: TRY400
                prepared.append(without_frames(error))
        self._telemetry.group_prepared(self._name, time.perf_counter() - started)
        return prepared

    def prepare(self, task: ScoreTask, *, trace: bool = False) -> Prepared:
        """The task as it is forwarded. Raises the `ItemError` that would stand in its place."""
        if not task.problem.strip():
            raise EmptyProblem("problem is empty: send the question that the solution answers", param="problem")
        self._check_size(task)
        splitting = self._profile.splitting
        if task.steps is not None:
            solution = join_steps(task.steps, splitting.separator, allow_blank=task.blank_steps)
        else:
            solution = split_solution(task.solution or "", splitting.method, splitting.separator)
        self._check_steps(len(solution.steps))
        # The whole first: if it is too long, nothing is spent on its beginnings.
        whole = self._render(task, solution)
        traced = trace and self._profile.kind == "outcome"
        shown = [_leading_steps(solution, count) for count in range(1, len(solution.steps))] if traced else []
        return Prepared(solution, (*(self._render(task, part) for part in shown), whole))

    def _check_size(self, task: ScoreTask) -> None:
        self._check_steps(len(task.steps or ()))
        if self._profile.overflow != "refuse":
            return
        earlier = [message.content for message in task.context]
        fewest = self._fewest_tokens("".join([*earlier, task.problem, *(task.steps or ()), task.solution or ""]))
        if fewest > self.max_input_tokens:
            raise InputTooLong(fewest, self.max_input_tokens, at_least=True)

    def _check_steps(self, num_steps: int) -> None:
        if num_steps > self._max_steps:
            raise TooManySteps(num_steps, self._max_steps)

    def _render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        rendered = self._renderer.render(task, solution)
        if rendered.num_tokens > self.max_input_tokens:
            return _shortened(rendered, self.max_input_tokens, self._profile.overflow)
        return rendered


def without_frames(error: _Error) -> _Error:
    """Without the frames that it was raised through: they hold the results, and would keep the line, and with it an
    adapter that was replaced, until the next garbage collection."""
    return error.with_traceback(None)


def usage_of(inputs: Sequence[RenderedInput]) -> Usage:
    """What the inputs of one request count."""
    return Usage(
        prompt_tokens=sum(rendered.num_tokens for rendered in inputs),
        unique_tokens=count_unique_tokens([rendered.token_ids for rendered in inputs]),
    )


def _shortened(rendered: RenderedInput, limit: int, overflow: Overflow) -> RenderedInput:
    """The last `limit` tokens, where the profile allows that and nothing is lost that is read.

    Raises `InputTooLong` otherwise. Where every token of the solution counts, it stays whole, and so does the one
    before it, which predicts its first.
    """
    num_dropped = rendered.num_tokens - limit
    first_read = rendered.solution_start - 1 if rendered.solution_start else rendered.readout_positions[0]
    if overflow == "refuse" or num_dropped > first_read:
        raise InputTooLong(rendered.num_tokens, limit)
    return RenderedInput(
        rendered.token_ids[num_dropped:],
        tuple(position - num_dropped for position in rendered.readout_positions),
        max(0, rendered.solution_start - num_dropped),
    )


def _leading_steps(solution: Solution, count: int) -> Solution:
    steps = solution.steps[:count]
    return Solution(solution.text[: steps[-1].span[1]], steps)

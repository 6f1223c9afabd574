"""The line that every score comes from: segment, render, schedule, read out, summarise."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol, TypeVar

from surefoot.callers import current_caller
from surefoot.domain import (
    ForwardItem,
    ForwardResult,
    GroupScore,
    Message,
    Priority,
    RenderedInput,
    ScoreOptions,
    ScoreTask,
    Solution,
    SolutionScore,
    Timing,
    Usage,
)
from surefoot.errors import BackendFailed, EmptyProblem, InputTooLong, ItemError, TooManySteps
from surefoot.forest import count_unique_tokens
from surefoot.ports import Scorer, Telemetry
from surefoot.profiles import Overflow, Profile
from surefoot.readout import read
from surefoot.rendering import Renderer
from surefoot.segmentation import join_steps, split_solution
from surefoot.summary import check_aggregation, check_step_checks, scored_by, summarise

log = logging.getLogger(__name__)

CHARACTERS_A_TOKEN = 8
"""More than texts have: what is refused by this many would be refused by its tokens."""
_Error = TypeVar("_Error", bound=Exception)


class Submits(Protocol):
    """The part of a scheduler that the line uses."""

    def check_room(self, num_tokens: int, *, priority: Priority, caller: str) -> None: ...

    def submit_group(
        self, items: Sequence[ForwardItem], *, priority: Priority, timeout_s: float | None, caller: str
    ) -> list[asyncio.Future[ForwardResult]]: ...


class ModelScorer(Scorer, Protocol):
    """One model's `Scorer`, and what ranking, cards and routes ask of it besides."""

    @property
    def name(self) -> str: ...

    @property
    def profile(self) -> Profile: ...

    @property
    def max_input_tokens(self) -> int: ...


Observer = Callable[[ModelScorer, Sequence[ScoreTask], Sequence[SolutionScore | Exception]], None]
"""Sees who scored a group, and its results, before they are answered with; quick, and raises nothing."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task ready to run: its input; for an outcome trace, one input per step with the whole solution last."""

    solution: Solution
    inputs: tuple[RenderedInput, ...]


class ScoringLine:
    """Scores groups of tasks with one model: the `Scorer` of production."""

    def __init__(
        self,
        name: str,
        profile: Profile,
        renderer: Renderer,
        scheduler: Submits,
        telemetry: Telemetry,
        *,
        max_input_tokens: int,
        max_steps: int,
        fewest_tokens: Callable[[str], int],
        head: str | None = None,
        observers: Mapping[str, Observer] = MappingProxyType({}),
    ) -> None:
        """`fewest_tokens` is the tokenizer's cheap lower bound: what cannot fit is neither split nor tokenised.

        `head` is the name that the line is read by on its engine where that is not the model's: of a model that was
        loaded anew the requests that began before keep the one that they began with. `observers` are told, by the
        model's name, of every group that is served.
        """
        self.name = name
        self.head = head or name
        self.profile = profile
        self._max_steps = max_steps
        self._fewest_tokens = fewest_tokens
        self.max_input_tokens = min(max_input_tokens, profile.max_input_tokens or max_input_tokens)
        self._renderer = renderer
        self._scheduler = scheduler
        self._telemetry = telemetry
        self._observers = observers

    async def score_group(self, tasks: Sequence[ScoreTask], options: ScoreOptions) -> GroupScore:
        started = time.perf_counter()
        check_aggregation(self.profile, options.aggregation)
        check_step_checks(self.profile, options)
        self._scheduler.check_room(_fewest_expected(tasks), priority=options.priority, caller=current_caller())
        # Tokenising and comparing long inputs takes milliseconds that other requests need not wait for.
        prepared, inputs, usage = await asyncio.to_thread(self._prepare_all, tasks, options.trace)
        forwarded = await self._forward(inputs, options)
        timing = _timing(forwarded)
        self._telemetry.group_forwarded(self.name, len(inputs), timing.queue_s, timing.forward_s)
        if options.checks:
            # They read every word of every step: the loop has better things to do.
            results = await asyncio.to_thread(self._finish_all, prepared, forwarded, options)
        else:
            results = self._finish_all(prepared, forwarded, options)
        cached = sum(outcome.cached_tokens for outcome in forwarded if isinstance(outcome, ForwardResult))
        usage = replace(usage, cached_tokens=cached)
        if options.is_counted:
            self._count(tasks, results, usage)
        return GroupScore(tuple(results), usage, replace(timing, total_s=time.perf_counter() - started))

    def _count(self, tasks: Sequence[ScoreTask], results: Sequence[SolutionScore | Exception], usage: Usage) -> None:
        self._telemetry.group_scored(self.name, usage)
        self._telemetry.solutions_scored(scored_by(self.name, self.profile), by_problem(tasks, results))
        observer = self._observers.get(self.name)
        if observer is not None:
            observer(self, tasks, results)

    def _prepare_all(
        self, tasks: Sequence[ScoreTask], trace: bool
    ) -> tuple[list[Prepared | Exception], list[RenderedInput], Usage]:
        prepared = self.prepare_group(tasks, trace=trace)
        inputs = [rendered for entry in prepared if isinstance(entry, Prepared) for rendered in entry.inputs]
        return prepared, inputs, usage_of(inputs)

    def prepare_group(self, tasks: Sequence[ScoreTask], *, trace: bool) -> list[Prepared | Exception]:
        """Each task as it is forwarded, or the error that stands in its place."""
        started = time.perf_counter()
        prepared: list[Prepared | Exception] = []
        for task in tasks:
            try:
                prepared.append(self.prepare(task, trace=trace))
            except ItemError as error:
                prepared.append(_as_result(error))
            except Exception as error:  # noqa: BLE001  whatever a tokenizer does with one text, its neighbours go on
                # The class alone: a message may quote the text.
                log.error("%s: an item could not be prepared: %s", self.name, type(error).__name__)  # noqa: TRY400
                prepared.append(_as_result(error))
        self._telemetry.group_prepared(self.name, time.perf_counter() - started)
        return prepared

    def prepare(self, task: ScoreTask, *, trace: bool = False) -> Prepared:
        """The task as it is forwarded. Raises the `ItemError` that would stand in its place."""
        if not task.problem.strip():
            raise EmptyProblem("problem is empty: send the question that the solution answers", param="problem")
        self._check_size(task)
        splitting = self.profile.splitting
        if task.steps is not None:
            solution = join_steps(task.steps, splitting.separator, allow_blank=task.blank_steps)
        else:
            solution = split_solution(task.solution or "", splitting.method, splitting.separator)
        self._check_steps(len(solution.steps))
        # The whole first: if it is too long, nothing is spent on its beginnings.
        whole = self._render(task, solution)
        traced = trace and self.profile.kind == "outcome"
        shown = [_leading_steps(solution, count) for count in range(1, len(solution.steps))] if traced else []
        return Prepared(solution, (*(self._render(task, part) for part in shown), whole))

    def _check_size(self, task: ScoreTask) -> None:
        self._check_steps(len(task.steps or ()))
        if self.profile.overflow != "refuse":
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
            return _shortened(rendered, self.max_input_tokens, self.profile.overflow)
        return rendered

    async def _forward(
        self, inputs: Sequence[RenderedInput], options: ScoreOptions
    ) -> list[ForwardResult | BaseException]:
        items = [ForwardItem(rendered, head=self.head) for rendered in inputs]
        if not items:
            return []
        futures = self._scheduler.submit_group(
            items, priority=options.priority, timeout_s=options.timeout_s, caller=current_caller()
        )
        # When the caller is gone gather cancels the futures, and what has not run yet never runs.
        return await asyncio.gather(*futures, return_exceptions=True)

    def _finish_all(
        self,
        prepared: Sequence[Prepared | Exception],
        forwarded: Sequence[ForwardResult | BaseException],
        options: ScoreOptions,
    ) -> list[SolutionScore | Exception]:
        outcomes = iter(forwarded)
        return [
            self._finish(entry, [next(outcomes) for _ in entry.inputs], options)
            if isinstance(entry, Prepared)
            else entry
            for entry in prepared
        ]

    def _finish(
        self, prepared: Prepared, outcomes: Sequence[ForwardResult | BaseException], options: ScoreOptions
    ) -> SolutionScore | ItemError:
        try:
            readings = []
            for rendered, outcome in zip(prepared.inputs, outcomes, strict=True):
                if not isinstance(outcome, ForwardResult):
                    raise outcome
                readings.append(read(self.profile, outcome.rows, len(rendered.readout_positions)))
            cached = sum(outcome.cached_tokens for outcome in outcomes if isinstance(outcome, ForwardResult))
            return summarise(self.profile, prepared.solution, readings, prepared.inputs, options, cached_tokens=cached)
        except ItemError as error:
            return _as_result(error)
        except asyncio.CancelledError:
            return BackendFailed("the work was cancelled before it ran")


def _fewest_expected(tasks: Sequence[ScoreTask]) -> int:
    texts = [text for task in tasks for text in (task.problem, *(task.steps or ()), task.solution or "")]
    return sum(map(len, texts)) // CHARACTERS_A_TOKEN


def _as_result(error: _Error) -> _Error:
    """Without the frames that it was raised through: they hold the results, and would keep the line, and with it an
    adapter that was replaced, until the next garbage collection."""
    return error.with_traceback(None)


def by_problem(tasks: Sequence[ScoreTask], results: Sequence[SolutionScore | Exception]) -> list[list[SolutionScore]]:
    """The scores of each problem's solutions, in order; what failed is left out."""
    found: dict[tuple[str, tuple[Message, ...]], list[SolutionScore]] = {}
    for task, result in zip(tasks, results, strict=True):
        if isinstance(result, SolutionScore):
            found.setdefault((task.problem, task.context), []).append(result)
    return list(found.values())


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


def _timing(forwarded: Sequence[ForwardResult | BaseException]) -> Timing:
    """The longest wait and the longest pass of the group's items: they ran side by side."""
    done = [outcome for outcome in forwarded if isinstance(outcome, ForwardResult)]
    return Timing(
        queue_s=max((outcome.queue_s for outcome in done), default=0.0),
        forward_s=max((outcome.forward_s for outcome in done), default=0.0),
        total_s=0.0,
    )

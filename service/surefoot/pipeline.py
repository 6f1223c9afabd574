"""The line that every score comes from: prepare, schedule, read out, summarise."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

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
    SolutionScore,
    Timing,
    Usage,
)
from surefoot.errors import BackendFailed, ItemError
from surefoot.ports import Scorer, Telemetry
from surefoot.preparation import Preparation, Prepared, usage_of, without_frames
from surefoot.profiles import Profile
from surefoot.readout import read
from surefoot.rendering import Renderer
from surefoot.summary import check_aggregation, check_step_checks, scored_by, summarise

CHARACTERS_A_TOKEN = 8
"""More than texts have: what is refused by this many would be refused by its tokens."""


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
        """`max_input_tokens`, `max_steps` and `fewest_tokens` are those of `Preparation`.

        `head` is the name that the line is read by on its engine where that is not the model's: of a model that was
        loaded anew the requests that began before keep the one that they began with. `observers` are told, by the
        model's name, of every group that is served.
        """
        self.name = name
        self.head = head or name
        self.profile = profile
        self.preparation = Preparation(
            name,
            profile,
            renderer,
            telemetry,
            max_input_tokens=max_input_tokens,
            max_steps=max_steps,
            fewest_tokens=fewest_tokens,
        )
        self.max_input_tokens = self.preparation.max_input_tokens
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
        prepared = self.preparation.prepare_group(tasks, trace=trace)
        inputs = [rendered for entry in prepared if isinstance(entry, Prepared) for rendered in entry.inputs]
        return prepared, inputs, usage_of(inputs)

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
            return without_frames(error)
        except asyncio.CancelledError:
            return BackendFailed("the work was cancelled before it ran")


def _fewest_expected(tasks: Sequence[ScoreTask]) -> int:
    texts = [text for task in tasks for text in (task.problem, *(task.steps or ()), task.solution or "")]
    return sum(map(len, texts)) // CHARACTERS_A_TOKEN


def by_problem(tasks: Sequence[ScoreTask], results: Sequence[SolutionScore | Exception]) -> list[list[SolutionScore]]:
    """The scores of each problem's solutions, in order; what failed is left out."""
    found: dict[tuple[str, tuple[Message, ...]], list[SolutionScore]] = {}
    for task, result in zip(tasks, results, strict=True):
        if isinstance(result, SolutionScore):
            found.setdefault((task.problem, task.context), []).append(result)
    return list(found.values())


def _timing(forwarded: Sequence[ForwardResult | BaseException]) -> Timing:
    """The longest wait and the longest pass of the group's items: they ran side by side."""
    done = [outcome for outcome in forwarded if isinstance(outcome, ForwardResult)]
    return Timing(
        queue_s=max((outcome.queue_s for outcome in done), default=0.0),
        forward_s=max((outcome.forward_s for outcome in done), default=0.0),
        total_s=0.0,
    )

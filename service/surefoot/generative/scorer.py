"""The Scorer of generative verifiers, beside the common line: what it reads is written first.

Preparing, reading out and summarising are the line's, and verdicts go through the same queue and forward passes as all
other scores.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import fmean

from surefoot.callers import current_caller
from surefoot.domain import (
    ForwardItem,
    ForwardResult,
    GroupScore,
    RenderedInput,
    ScoreOptions,
    ScoreTask,
    SolutionScore,
    Timing,
)
from surefoot.errors import BackendFailed, DeadlineExceeded, ItemError, QueueFull, RequestError
from surefoot.generative.drawing import CritiqueSource
from surefoot.pipeline import ScoringLine, Submits, by_problem
from surefoot.ports import Telemetry
from surefoot.preparation import Prepared, usage_of
from surefoot.profiles import Profile
from surefoot.readout import Reading, read
from surefoot.scheduling.admission import Occupancy, admit
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.summary import check_aggregation, check_step_checks, scored_by, summarise


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A prompt whose critiques are not being drawn yet; its tokens count once per critique."""

    num_critiques: int
    num_tokens: int


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The mean over a prompt's critiques, the inputs that it was read from, and what that took."""

    reading: Reading
    inputs: tuple[RenderedInput, ...]
    queue_s: float
    forward_s: float


class GenerativeScorer:
    """Scores groups of tasks by critiques of their solutions.

    A score is the mean of P(positive) / (P(positive) + P(negative)) over those of a prompt's critiques that gave a
    verdict, of which there must be one. Usage counts every token that is scored, the critiques' up to their cue
    included; `forward_s` holds the time of drawing too. Equal inputs are drawn with equal seeds.
    """

    def __init__(
        self,
        line: ScoringLine,
        critiques: CritiqueSource,
        scheduler: Submits,
        telemetry: Telemetry,
        *,
        limits: SchedulerLimits,
        max_concurrent: int,
    ) -> None:
        """`line` prepares the prompts. `max_concurrent` critiques are drawn at a time (a prompt's go together), and as
        many may wait for that as `limits` says."""
        self._line = line
        self._critiques = critiques
        self._scheduler = scheduler
        self._telemetry = telemetry
        self._limits = limits
        self._places = asyncio.Semaphore(max(1, max_concurrent // critiques.spec.samples))
        self._waiting: set[_Waiting] = set()

    @property
    def name(self) -> str:
        return self._line.name

    @property
    def profile(self) -> Profile:
        return self._line.profile

    @property
    def max_input_tokens(self) -> int:
        """Of prompt, critique and cue together."""
        return self._line.max_input_tokens

    def prepare(self, task: ScoreTask, *, trace: bool = False) -> Prepared:
        """The prompts of a task, whose critiques are still to be drawn. Raises the `ItemError` in its place."""
        return self._line.preparation.prepare(task, trace=trace)

    async def score_group(self, tasks: Sequence[ScoreTask], options: ScoreOptions) -> GroupScore:
        """As every Scorer; raises `SamplerUnavailable` too, where no critique can be drawn for anyone now."""
        started = time.perf_counter()
        deadline = None if options.timeout_s is None else asyncio.get_running_loop().time() + options.timeout_s
        check_aggregation(self.profile, options.aggregation)
        check_step_checks(self.profile, options)
        prepared = await asyncio.to_thread(self._line.preparation.prepare_group, tasks, trace=options.trace)
        prompts = [prompt for entry in prepared if isinstance(entry, Prepared) for prompt in entry.inputs]
        outcomes = await self._verdicts(prompts, options, deadline) if prompts else []
        remaining = iter(outcomes)
        results = [
            self._finish(entry, [next(remaining) for _ in entry.inputs], options)
            if isinstance(entry, Prepared)
            else entry
            for entry in prepared
        ]
        verdicts = [outcome for outcome in outcomes if isinstance(outcome, _Verdict)]
        usage = usage_of([rendered for verdict in verdicts for rendered in verdict.inputs])
        if options.is_counted:
            self._telemetry.group_scored(self.name, usage)
            self._telemetry.solutions_scored(scored_by(self.name, self.profile), by_problem(tasks, results))
        timing = Timing(
            queue_s=max((verdict.queue_s for verdict in verdicts), default=0.0),
            forward_s=max((verdict.forward_s for verdict in verdicts), default=0.0),
            total_s=time.perf_counter() - started,
        )
        return GroupScore(tuple(results), usage, timing)

    async def _verdicts(
        self, prompts: Sequence[RenderedInput], options: ScoreOptions, deadline: float | None
    ) -> list[_Verdict | BaseException]:
        """One per prompt. Raises `GroupTooLarge`, `QueueFull` or `SamplerUnavailable` for all of them."""
        tickets = self._admitted(prompts)
        try:
            async with _until(deadline):
                await self._critiques.start()
            work = [self._verdict(*pair, options, deadline) for pair in zip(prompts, tickets, strict=True)]
            # When the caller is gone gather cancels all of them, and with them the sampler's work.
            return await asyncio.gather(*work, return_exceptions=True)
        except DeadlineExceeded as error:
            return [error for _ in prompts]
        finally:
            self._waiting.difference_update(tickets)

    def _admitted(self, prompts: Sequence[RenderedInput]) -> list[_Waiting]:
        """The group's places in the queue, all or none."""
        samples = self._critiques.spec.samples
        tickets = [_Waiting(samples, samples * prompt.num_tokens) for prompt in prompts]
        occupancy = Occupancy(
            sum(ticket.num_critiques for ticket in self._waiting), sum(ticket.num_tokens for ticket in self._waiting)
        )
        try:
            admit([prompt.num_tokens for prompt in prompts for _ in range(samples)], occupancy, self._limits, None)
        except RequestError as error:
            self._telemetry.admission_refused(self.name, error.code)
            raise
        self._waiting.update(tickets)
        return tickets

    async def _verdict(
        self, prompt: RenderedInput, ticket: _Waiting, options: ScoreOptions, deadline: float | None
    ) -> _Verdict:
        """Raises the `ItemError` of the item that the prompt belongs to."""
        room = self._critiques.room(prompt.num_tokens, self.max_input_tokens)
        queued = time.perf_counter()
        async with _until(deadline), self._places:
            self._waiting.discard(ticket)
            began = time.perf_counter()
            drawn = await self._critiques.draw(prompt, room)
        ended = time.perf_counter()
        outcomes = await self._forward(drawn.inputs, options, deadline)
        readings, failures = self._read(drawn.inputs, outcomes)
        if not readings:
            raise [*drawn.failures, *failures][0]
        passes = [outcome for outcome in outcomes if isinstance(outcome, ForwardResult)]
        queue_s, forward_s = max(done.queue_s for done in passes), max(done.forward_s for done in passes)
        self._telemetry.group_forwarded(self.name, len(passes), queue_s, forward_s)
        return _Verdict(
            mean_reading(list(readings.values())),
            tuple(drawn.inputs[place] for place in readings),
            began - queued + queue_s,
            ended - began + forward_s,
        )

    async def _forward(
        self, inputs: Sequence[RenderedInput], options: ScoreOptions, deadline: float | None
    ) -> list[ForwardResult | BaseException]:
        items = [ForwardItem(rendered, head=self.name) for rendered in inputs]
        if not items:
            return []
        async with _until(deadline):
            futures = await self._submitted(items, options, deadline)
        return await asyncio.gather(*futures, return_exceptions=True)

    async def _submitted(
        self, items: Sequence[ForwardItem], options: ScoreOptions, deadline: float | None
    ) -> list[asyncio.Future[ForwardResult]]:
        clock = asyncio.get_running_loop().time
        while True:
            timeout_s = None if deadline is None else max(0.0, deadline - clock())
            try:
                return self._scheduler.submit_group(
                    items, priority=options.priority, timeout_s=timeout_s, caller=current_caller()
                )
            except QueueFull as full:
                # This work was admitted, and its critiques are drawn: it waits for the models that fill the queue.
                await asyncio.sleep(full.retry_after_s)
            except RequestError as error:
                raise BackendFailed(f"the critiques cannot be read: {error.message}") from error

    def _read(
        self, inputs: Sequence[RenderedInput], outcomes: Sequence[ForwardResult | BaseException]
    ) -> tuple[dict[int, Reading], list[ItemError]]:
        """The verdicts that there are, by the place of their input, and why there are no others."""
        readings: dict[int, Reading] = {}
        failures: list[ItemError] = []
        for place, (rendered, outcome) in enumerate(zip(inputs, outcomes, strict=True)):
            try:
                if not isinstance(outcome, ForwardResult):
                    raise outcome
                (readings[place],) = read(self.profile, outcome.rows, len(rendered.readout_positions))
            except ItemError as error:
                failures.append(error)
        return readings, failures

    def _finish(
        self, prepared: Prepared, outcomes: Sequence[_Verdict | BaseException], options: ScoreOptions
    ) -> SolutionScore | ItemError:
        verdicts: list[_Verdict] = []
        try:
            for outcome in outcomes:
                if not isinstance(outcome, _Verdict):
                    raise outcome
                verdicts.append(outcome)
        except ItemError as error:
            return error
        except asyncio.CancelledError:
            return BackendFailed("the work was cancelled before it ran")
        inputs = [rendered for verdict in verdicts for rendered in verdict.inputs]
        readings = [(verdict.reading,) for verdict in verdicts]
        return summarise(self.profile, prepared.solution, readings, inputs, options)


def mean_reading(readings: Sequence[Reading]) -> Reading:
    """The mean of the scores; `raw` is what all of them came from, one after the other."""
    return Reading(
        fmean(reading.score for reading in readings),
        tuple(value for reading in readings for value in reading.raw),
        None,
    )


@asynccontextmanager
async def _until(deadline: float | None) -> AsyncIterator[None]:
    """Ends what runs inside at that time of the loop's clock. Raises `DeadlineExceeded`."""
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError as cause:
        raise DeadlineExceeded(
            "its critiques were not finished in time; raise timeout_s or send less at once", param="timeout_s"
        ) from cause

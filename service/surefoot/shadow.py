"""A share of what is served is scored by another model too, whose scores are compared and never answered with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from surefoot.domain import ScoredBy, ScoreOptions, ScoreTask, SolutionScore
from surefoot.errors import DeadlineExceeded, QueueFull
from surefoot.metrics.quality_measures import have_different_bests, own_score
from surefoot.pipeline import ModelScorer, by_problem
from surefoot.ports import Telemetry
from surefoot.scheduling.admission import Occupancy
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.summary import scored_by

log = logging.getLogger(__name__)

MAX_PENDING = 4
"""Groups that may wait for the shadow at a time; the next ones are dropped."""
MAX_SOLUTIONS = 128
"""Solutions of a group that is compared; a larger one would hold a pass up for long."""

Outcome = Literal["compared", "dropped", "failed"]


class Queue(Protocol):
    """The part of a scheduler that the shadow looks at."""

    @property
    def limits(self) -> SchedulerLimits: ...

    def snapshot(self) -> Occupancy: ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on one group: |difference| of each score that both gave, of steps or else of solutions, and whether
    they judge it alike, each by its own threshold; and for each problem with several solutions whether the two have
    different bests."""

    differences: tuple[float, ...]
    alike: tuple[bool, ...]
    other_best: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class ShadowSummary:
    """What a shadow has seen since it began; `dropped` groups were left out to keep answers quick."""

    share: float
    compared: int = 0
    dropped: int = 0
    failed: int = 0
    num_scores: int = 0
    total_difference: float = 0.0
    max_difference: float = 0.0
    alike: int = 0
    ranked: int = 0
    other_best: int = 0

    @property
    def mean_difference(self) -> float | None:
        return self.total_difference / self.num_scores if self.num_scores else None

    @property
    def agreement(self) -> float | None:
        """Share of the scores by which both judge alike."""
        return self.alike / self.num_scores if self.num_scores else None

    def with_comparison(self, found: Comparison) -> ShadowSummary:
        """The summary with one group more."""
        return replace(
            self,
            compared=self.compared + 1,
            num_scores=self.num_scores + len(found.differences),
            total_difference=self.total_difference + sum(found.differences),
            max_difference=max((self.max_difference, *found.differences)),
            alike=self.alike + sum(found.alike),
            ranked=self.ranked + len(found.other_best),
            other_best=self.other_best + sum(found.other_best),
        )


class Shadow:
    """Has `line` score a share of the groups that another model served, behind all other work of its queue.

    An offered group is taken at once or dropped: where anything waits, or where `MAX_PENDING` groups are under way.
    What fails is counted. Belongs to one event loop.
    """

    def __init__(self, line: ModelScorer, queues: Sequence[Queue], telemetry: Telemetry, share: float) -> None:
        """`queues` are the line's own, first, and those whose work it may hold up."""
        self.summary = ShadowSummary(share)
        self._line = line
        self._queues = queues
        self._telemetry = telemetry
        self._due = 0.0
        self._pending: set[asyncio.Task[None]] = set()

    def set_share(self, share: float) -> None:
        """Take that share of the groups from now on."""
        self.summary = replace(self.summary, share=share)

    def offer(
        self, served_by: ScoredBy, tasks: Sequence[ScoreTask], results: Sequence[SolutionScore | Exception]
    ) -> None:
        """A group that was just served; returns at once, and whatever comes of it the answer stands."""
        # Every n-th instead of by lot: a share of 1 is all of them, and any other is kept to in short runs too.
        self._due += self.summary.share
        if self._due < 1:
            return
        self._due -= 1
        is_busy = any(queue.snapshot().num_requests for queue in self._queues) or len(self._pending) >= MAX_PENDING
        if is_busy or len(tasks) > MAX_SOLUTIONS:
            self._count("dropped")
            return
        # Outside the request's context: else the caller's later requests would wait for their turn behind this, and
        # its trace would tell of work that it did not ask for.
        comparison = self._compare(served_by, tasks, results)
        task = asyncio.create_task(comparison, name="shadow", context=Context())
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    def end(self) -> None:
        """Withdraw what is under way."""
        for task in self._pending:
            task.cancel()

    async def _compare(
        self, served_by: ScoredBy, tasks: Sequence[ScoreTask], results: Sequence[SolutionScore | Exception]
    ) -> None:
        # As bulk it would count as urgent after that time: rather it is not computed at all.
        options = ScoreOptions(priority="bulk", timeout_s=self._queues[0].limits.bulk_max_wait_s, is_counted=False)
        try:
            group = await self._line.score_group(tasks, options)
        except QueueFull:
            self._count("dropped")
        except Exception as error:  # noqa: BLE001  nobody waits for this, and nothing of it may reach an answer
            self._failed(error)
        else:
            if any(isinstance(result, DeadlineExceeded) for result in group.results):
                self._count("dropped")
                return
            lost = [
                error
                for served, error in zip(results, group.results, strict=True)
                if isinstance(served, SolutionScore) and isinstance(error, Exception)
            ]
            if lost:
                self._failed(lost[0])
                return
            by = scored_by(self._line.name, self._line.profile)
            found = compare(served_by, by, tasks, results, group.results)
            self.summary = self.summary.with_comparison(found)
            self._telemetry.shadow_group(self._line.name, "compared")
            self._telemetry.shadow_compared(self._line.name, found.differences, found.alike, found.other_best)

    def _failed(self, error: Exception) -> None:
        # The class alone: a message may quote the text.
        log.warning("model %s: the shadow failed on a group: %s", self._line.name, type(error).__name__)
        self._count("failed")

    def _count(self, outcome: Literal["dropped", "failed"]) -> None:
        if outcome == "dropped":
            self.summary = replace(self.summary, dropped=self.summary.dropped + 1)
        else:
            self.summary = replace(self.summary, failed=self.summary.failed + 1)
        self._telemetry.shadow_group(self._line.name, outcome)


def compare(
    served_by: ScoredBy,
    by: ScoredBy,
    tasks: Sequence[ScoreTask],
    served: Sequence[SolutionScore | Exception],
    others: Sequence[SolutionScore | Exception],
) -> Comparison:
    """What both models gave. Differences are taken on equal scales alone, and of solutions that both see in equally
    many steps; bests are by each model's own aggregation."""
    both = [
        (task, ours, theirs)
        for task, ours, theirs in zip(tasks, served, others, strict=True)
        if isinstance(ours, SolutionScore) and isinstance(theirs, SolutionScore)
    ]
    kept = [task for task, _, _ in both]
    problems = zip(
        by_problem(kept, [ours for _, ours, _ in both]),
        by_problem(kept, [theirs for _, _, theirs in both]),
        strict=True,
    )
    scores = [
        pair
        for _, ours, theirs in both
        if served_by.scale == by.scale and len(ours.steps) == len(theirs.steps)
        for pair in zip(_scores(served_by, ours), _scores(by, theirs), strict=True)
    ]
    return Comparison(
        tuple(abs(left - right) for left, right in scores),
        tuple((left >= served_by.threshold) == (right >= by.threshold) for left, right in scores),
        tuple(
            have_different_bests([own_score(served_by, one) for one in ours], [own_score(by, one) for one in theirs])
            for ours, theirs in problems
            if len(ours) > 1
        ),
    )


def _scores(by: ScoredBy, solution: SolutionScore) -> list[float]:
    return [solution.score] if by.kind == "outcome" else [step.score for step in solution.steps]

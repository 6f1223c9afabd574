"""Best of N: sample candidates, score each as it finishes, stop when the vote is decided, pick one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from surefoot.answers.remembered import RememberingJudge
from surefoot.candidate_scores import (
    CandidateInput,
    CandidateScores,
    RankOptions,
    RankTask,
    check_options,
    first_failure,
    join_scores,
    score_candidates,
)
from surefoot.domain import Message, SampledCandidate, SamplingOptions, SolutionScore
from surefoot.drawing import Samples, telling
from surefoot.early_stop import Ballot, EarlyStop, lead_confidence, should_stop
from surefoot.ports import Sampler, Telemetry
from surefoot.ranking import RankedGroup, Ranker, Ranking, report_agreement
from surefoot.selection import ballots
from surefoot.summary import scored_by

MAX_SCORING = 32
"""Candidates of one request that wait for their scores; more fills batches, fewer leave the queue to others."""


@dataclass(frozen=True, slots=True)
class BestOfNTask:
    """What to draw and how to rank it; the `conversation` is what the policy reads, the rest what the models read."""

    generator: str
    sampler: Sampler
    conversation: tuple[Message, ...]
    problem: str
    context: tuple[Message, ...]
    sampling: SamplingOptions
    ranking: RankOptions
    early_stop: EarlyStop | None = None


@dataclass(frozen=True, slots=True)
class Saving:
    """What an early stop saved; `confidence` is that of the lead among all that was drawn."""

    stopped: bool
    samples_drawn: int
    samples_saved: int
    confidence: float


@dataclass(frozen=True, slots=True)
class BestOfN:
    """Samples and their ranking: one group whose places are those of `samples.candidates`.

    After an early stop the indices of the samples have gaps. `saving` is `None` where no early stop was asked for.
    """

    samples: Samples
    ranking: Ranking
    saving: Saving | None = None


@dataclass(frozen=True, slots=True)
class CandidateDrawn:
    """A candidate has finished."""

    candidate: SampledCandidate


@dataclass(frozen=True, slots=True)
class CandidateScored:
    """The candidate of that index is scored, by the models that the strategy needs, or has failed."""

    index: int
    process: SolutionScore | None
    outcome: SolutionScore | None
    error: Exception | None


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event."""

    result: BestOfN


Event = CandidateDrawn | CandidateScored | Finished


async def find_best_of_n(task: BestOfNTask, ranker: Ranker, telemetry: Telemetry) -> BestOfN:
    """The result alone. Raises what the sampler or a model raises for the request as a whole."""
    async with aclosing(best_of_n_events(task, ranker, telemetry)) as events:
        async for event in events:
            if isinstance(event, Finished):
                return event.result
    raise AssertionError("the events end with the result")


async def best_of_n_events(task: BestOfNTask, ranker: Ranker, telemetry: Telemetry) -> AsyncGenerator[Event, None]:
    """Candidates as they finish, each one's scores as they are known, and the result, equal to ranking all at once.

    Closing the generator stops the sampler and withdraws what waits to be scored.
    """
    check_options(task.ranking)
    run = _Run(task, Ranker(RememberingJudge(ranker.judge)), telemetry)
    async with aclosing(run.events()) as events:
        async for event in events:
            yield event
    yield Finished(await run.result())


class _Run:
    """One request on its way: what is drawn, what is being scored, what is scored."""

    def __init__(self, task: BestOfNTask, ranker: Ranker, telemetry: Telemetry) -> None:
        self._task = task
        self._ranker = ranker
        self._telemetry = telemetry
        self._started = time.perf_counter()
        self._samples = Samples((), (), 0.0)
        self._jobs: dict[asyncio.Task[CandidateScores], SampledCandidate] = {}
        self._scores: dict[int, CandidateScores] = {}

    async def events(self) -> AsyncGenerator[CandidateDrawn | CandidateScored, None]:
        stream = await self._open()
        pull: asyncio.Task[SampledCandidate | None] | None = None
        has_ended = False
        try:
            while not has_ended or self._jobs or pull is not None:
                if pull is None and not has_ended and len(self._jobs) < MAX_SCORING:
                    pull = asyncio.create_task(self._next(stream))
                await asyncio.wait({*self._jobs, *([pull] if pull else [])}, return_when=asyncio.FIRST_COMPLETED)
                if pull is not None and pull.done():
                    candidate, pull = pull.result(), None
                    has_ended = has_ended or candidate is None
                    if candidate is not None:
                        yield self._drawn(candidate)
                        # A vote that needs no model is counted before more is drawn.
                        await asyncio.sleep(0)
                num_scored = len(self._scores)
                for event in self._scored():
                    yield event
                if not has_ended and len(self._scores) > num_scored and await self._is_decided():
                    has_ended = True
                    # One that finished meanwhile is paid for and counts.
                    if pull is not None and not pull.done():
                        await _withdraw([pull])
                        pull = None
        finally:
            await _withdraw([*self._jobs, *([pull] if pull else [])])
            await stream.aclose()  # type: ignore[attr-defined]
        self._measure()

    async def result(self) -> BestOfN:
        ranking = await self._rank()
        self._compare(ranking)
        return BestOfN(self._samples, ranking, self._saving(ranking))

    async def _open(self) -> AsyncIterator[SampledCandidate]:
        with telling(self._telemetry, self._task.generator):
            prompt = await self._task.sampler.encode_prompt(self._task.conversation)
        self._samples = Samples(prompt.token_ids, (), 0.0)
        return self._task.sampler.sample(prompt, self._task.sampling)

    async def _next(self, stream: AsyncIterator[SampledCandidate]) -> SampledCandidate | None:
        with telling(self._telemetry, self._task.generator):
            return await anext(stream, None)

    def _drawn(self, candidate: SampledCandidate) -> CandidateDrawn:
        candidates = sorted([*self._samples.candidates, candidate], key=lambda drawn: drawn.index)
        seconds = time.perf_counter() - self._started
        self._samples = Samples(self._samples.prompt_token_ids, tuple(candidates), seconds)
        job = asyncio.create_task(score_candidates([self._rank_task([candidate])], self._task.ranking))
        self._jobs[job] = candidate
        return CandidateDrawn(candidate)

    def _scored(self) -> Iterator[CandidateScored]:
        """Take over the jobs that are done, in the order in which they began. Raises what one of them raised."""
        for job in [job for job in self._jobs if job.done()]:
            scores, candidate = job.result(), self._jobs.pop(job)
            self._scores[candidate.index] = scores
            (process,), (outcome,) = scores.process, scores.outcome
            yield CandidateScored(
                candidate.index,
                process if isinstance(process, SolutionScore) else None,
                outcome if isinstance(outcome, SolutionScore) else None,
                first_failure(CandidateInput(text=candidate.text), process, outcome),
            )

    async def _is_decided(self) -> bool:
        rule, num_scored = self._task.early_stop, len(self._scores)
        if rule is None or num_scored < rule.min_n:
            return False
        votes = self._votes(await self._rank())
        return should_stop(votes, num_scored, self._task.sampling.n, rule)

    async def _rank(self) -> Ranking:
        """The ranking of what is scored so far."""
        scored = [candidate for candidate in self._samples.candidates if candidate.index in self._scores]
        scores = join_scores([self._scores[candidate.index] for candidate in scored])
        return await self._ranker.rank_scored([self._rank_task(scored)], scores, self._task.ranking)

    def _rank_task(self, candidates: Sequence[SampledCandidate]) -> RankTask:
        inputs = tuple(CandidateInput(text=candidate.text) for candidate in candidates)
        return RankTask(self._task.problem, inputs, self._task.context)

    def _votes(self, ranking: Ranking) -> list[Ballot]:
        (group,) = ranking.groups
        entries = group.entries if isinstance(group, RankedGroup) else ()
        return [Ballot(*vote) for vote in ballots(self._task.ranking.strategy, entries)]

    def _saving(self, ranking: Ranking) -> Saving | None:
        if self._task.early_stop is None:
            return None
        drawn = len(self._samples.candidates)
        saved = self._task.sampling.n - drawn
        return Saving(saved > 0, drawn, saved, lead_confidence(self._votes(ranking)))

    def _compare(self, ranking: Ranking) -> None:
        """Each candidate was scored alone: only now can they be compared."""
        options = self._task.ranking
        (group,) = ranking.groups
        if not isinstance(group, RankedGroup):
            return
        for line, scores in ((options.process, group.process), (options.outcome, group.outcome)):
            if line is not None:
                scored = [score for score in scores if score is not None]
                self._telemetry.group_compared(scored_by(line.name, line.profile), scored)
        report_agreement(ranking, options, self._telemetry)

    def _measure(self) -> None:
        samples = self._samples
        num_tokens = sum(candidate.num_tokens for candidate in samples.candidates)
        self._telemetry.candidates_sampled(self._task.generator, len(samples.candidates), num_tokens, samples.seconds)


async def _withdraw(work: Sequence[asyncio.Task[Any]]) -> None:
    for job in work:
        job.cancel()
    await asyncio.gather(*work, return_exceptions=True)

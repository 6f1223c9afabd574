"""Best of N as it happens: order, equality with ranking all at once, early stop, and nothing left running."""

import asyncio
from contextlib import aclosing
from typing import get_args

import pytest

from surefoot.best_of_n import (
    MAX_SCORING,
    BestOfNTask,
    CandidateDrawn,
    CandidateScored,
    Finished,
    best_of_n_events,
    find_best_of_n,
)
from surefoot.candidate_scores import CandidateInput, RankOptions, RankTask
from surefoot.domain import Message, SamplingOptions, Strategy
from surefoot.early_stop import EarlyStop
from surefoot.errors import AggregationNotDefined, GroupTooLarge, SamplerUnavailable
from surefoot.ports import SilentTelemetry
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.selection import NEEDS_OUTCOME, NEEDS_PROCESS
from surefoot.wiring.fake_service import FAKE_TEXTS, FakeParts, KeysOnly, build_fake_service

PROBLEM = "2 + 3?"


class Counting(SilentTelemetry):
    def __init__(self) -> None:
        self.sampled: list[int] = []
        self.num_failures = 0

    def candidates_sampled(self, generator: str, num_candidates: int, num_tokens: int, seconds: float) -> None:
        self.sampled.append(num_candidates)

    def sampler_failed(self, generator: str) -> None:
        self.num_failures += 1


class Paced(FakeSampler):
    """Draws as many as `allowed`, then waits; `order` names the indices as they finish; notes that it was closed."""

    def __init__(self, texts, *, order=None, allowed=10**6, fails_at=None) -> None:
        super().__init__(texts)
        self.order, self.allowed, self.fails_at = order, allowed, fails_at
        self.num_drawn, self.closed = 0, False

    async def sample(self, prompt, options):
        try:
            drawn = [candidate async for candidate in super().sample(prompt, options)]
            for place in self.order or range(options.n):
                if self.num_drawn == self.fails_at:
                    raise SamplerUnavailable("the engine died")
                if self.num_drawn >= self.allowed:
                    await asyncio.Event().wait()
                self.num_drawn += 1
                yield drawn[place]
        finally:
            self.closed = True


class Bench:
    def __init__(self, **parts) -> None:
        self.parts = FakeParts(**parts)
        self.fake = build_fake_service(self.parts)
        self.ranker = self.fake.service.ranker
        self.telemetry = Counting()

    def task(self, sampler, strategy: Strategy = "process", *, n=3, early_stop=None, outcome="orm") -> BestOfNTask:
        registry = self.fake.service.registry
        ranking = RankOptions(
            strategy=strategy,
            process=registry.get("prm").line if NEEDS_PROCESS[strategy] else None,
            outcome=registry.get(outcome).line if NEEDS_OUTCOME[strategy] else None,
        )
        turns = (Message("user", PROBLEM),)
        return BestOfNTask("g", sampler, turns, PROBLEM, (), SamplingOptions(n=n), ranking, early_stop)

    def events(self, *args, **fields):
        return best_of_n_events(self.task(*args, **fields), self.ranker, self.telemetry)

    async def find(self, *args, **fields):
        async with asyncio.timeout(10):
            return await find_best_of_n(self.task(*args, **fields), self.ranker, self.telemetry)


@pytest.fixture
async def open_bench():
    benches = []

    async def build(**parts) -> Bench:
        bench = Bench(**parts)
        await bench.fake.service.start()
        benches.append(bench)
        return bench

    yield build
    for bench in benches:
        await bench.fake.service.close()


@pytest.fixture
async def bench(open_bench) -> Bench:
    return await open_bench()


@pytest.mark.parametrize("strategy", get_args(Strategy))
async def test_the_ranking_is_that_of_all_at_once(bench, strategy) -> None:
    task = bench.task(FakeSampler(FAKE_TEXTS), strategy, n=7)
    sent = RankTask(PROBLEM, tuple(CandidateInput(text=FAKE_TEXTS[index % 3]) for index in range(7)))
    found = await find_best_of_n(task, bench.ranker, bench.telemetry)
    assert found.ranking.groups == (await bench.ranker.rank([sent], task.ranking)).groups


async def test_the_order_of_finishing_does_not_matter(bench) -> None:
    in_order = await bench.find(FakeSampler(FAKE_TEXTS), n=5)
    mixed = await bench.find(Paced(FAKE_TEXTS, order=[3, 0, 4, 2, 1]), n=5)
    assert (mixed.samples.candidates, mixed.ranking.groups) == (in_order.samples.candidates, in_order.ranking.groups)


async def test_each_candidate_is_drawn_once_then_scored_once_and_the_result_is_last(bench) -> None:
    events = [event async for event in bench.events(FakeSampler(FAKE_TEXTS), n=5)]
    drawn = [event.candidate.index for event in events if isinstance(event, CandidateDrawn)]
    scored = [event.index for event in events if isinstance(event, CandidateScored)]
    assert (drawn, sorted(scored), len(events)) == ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4], 11)
    assert isinstance(events[-1], Finished)
    seen = [event.candidate.index if isinstance(event, CandidateDrawn) else event.index for event in events[:-1]]
    assert all(seen.count(index) == 2 for index in range(5))


async def test_a_candidate_is_scored_before_the_last_is_drawn(bench) -> None:
    sampler = Paced(FAKE_TEXTS, allowed=1)
    async with asyncio.timeout(5), aclosing(bench.events(sampler)) as events:
        assert [type(await anext(events)) for _ in range(2)] == [CandidateDrawn, CandidateScored]
    assert sampler.num_drawn == 1


async def test_scores_are_those_of_the_ranking(bench) -> None:
    events = [event async for event in bench.events(FakeSampler(FAKE_TEXTS), "process_outcome")]
    (group,) = events[-1].result.ranking.groups
    scored = {event.index: (event.process, event.outcome) for event in events if isinstance(event, CandidateScored)}
    assert scored == {index: (group.process[index], group.outcome[index]) for index in range(3)}


async def test_a_candidate_that_cannot_be_scored_says_why(bench) -> None:
    events = [event async for event in bench.events(FakeSampler([""]), n=1)]
    assert [event.error.code for event in events if isinstance(event, CandidateScored)] == ["no_steps"]


async def test_no_more_candidates_wait_for_scores_than_allowed(bench) -> None:
    bench.parts.backend.hold()
    sampler = Paced(FAKE_TEXTS)
    running = asyncio.create_task(bench.find(sampler, n=MAX_SCORING + 9))
    async with asyncio.timeout(5):
        while sampler.num_drawn < MAX_SCORING:  # noqa: ASYNC110 (the task makes it true)
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)
    at_most = sampler.num_drawn
    bench.parts.backend.release()
    assert (at_most, len((await running).samples.candidates)) == (MAX_SCORING, MAX_SCORING + 9)


async def test_a_decided_vote_stops_the_sampler(bench) -> None:
    sampler = Paced(["The answer is 5."])
    found = await bench.find(sampler, "majority", n=32, early_stop=EarlyStop())
    assert (found.saving.stopped, found.saving.samples_drawn, found.saving.samples_saved) == (True, 4, 28)
    assert (sampler.num_drawn, sampler.closed) == (4, True)


async def test_the_confidence_of_the_lead_is_reported(bench) -> None:
    found = await bench.find(FakeSampler(["The answer is 5."]), "majority", n=32, early_stop=EarlyStop())
    assert found.saving.confidence == pytest.approx(1 - 0.5**5)


@pytest.mark.parametrize("strategy", ["process_weighted", "outcome_weighted"])
async def test_a_weighted_vote_stops_while_the_sampler_waits(bench, strategy) -> None:
    sampler = Paced(["The answer is 5."], allowed=4)
    found = await bench.find(sampler, strategy, n=32, early_stop=EarlyStop())
    assert (found.saving.samples_drawn, sampler.closed) == (4, True)


async def test_an_open_vote_draws_all(bench) -> None:
    found = await bench.find(
        FakeSampler(["The answer is 5.", "The answer is 6."]), "majority", n=6, early_stop=EarlyStop()
    )
    assert (found.saving.stopped, found.saving.samples_drawn, found.saving.samples_saved) == (False, 6, 0)


async def test_indices_keep_their_gaps_after_a_stop(bench) -> None:
    sampler = Paced(["The answer is 5."], order=[7, 3, 5, 1, 0, 2, 4, 6])
    found = await bench.find(sampler, "majority", n=8, early_stop=EarlyStop())
    assert [candidate.index for candidate in found.samples.candidates] == [1, 3, 5, 7]


async def test_without_early_stop_all_are_drawn_and_no_saving_is_told(bench) -> None:
    found = await bench.find(FakeSampler(["The answer is 5."]), "majority", n=12)
    assert (len(found.samples.candidates), found.saving) == (12, None)


async def test_counting_again_does_not_ask_the_judge_again(open_bench) -> None:
    class Asked(KeysOnly):
        pairs: list[tuple[str, str]] = []  # noqa: RUF012

        def equivalent(self, first: str, second: str) -> bool:
            self.pairs.append((first, second))
            return False

    bench = await open_bench(judge=Asked())
    texts = [r"\boxed{x}", r"\boxed{y}"]
    await bench.find(FakeSampler(texts), "majority", n=8, early_stop=EarlyStop())
    assert len(Asked.pairs) == 1


async def test_a_draw_is_measured_as_far_as_it_went(bench) -> None:
    await bench.find(FakeSampler(["The answer is 5."]), "majority", n=32, early_stop=EarlyStop())
    assert (bench.telemetry.sampled, bench.telemetry.num_failures) == ([4], 0)


async def test_a_sampler_that_dies_in_between_fails_the_whole(bench) -> None:
    sampler = Paced(FAKE_TEXTS, fails_at=2)
    with pytest.raises(SamplerUnavailable):
        await bench.find(sampler, n=4)
    assert (bench.telemetry.num_failures, sampler.closed) == (1, True)


async def test_a_refusal_by_the_scorer_stops_the_sampler(open_bench) -> None:
    bench = await open_bench(queue=SchedulerLimits(max_queue_tokens=1))
    sampler = Paced(FAKE_TEXTS, allowed=1)
    with pytest.raises(GroupTooLarge):
        await bench.find(sampler, n=4)
    assert (sampler.closed, bench.telemetry.num_failures) == (True, 0)


async def test_closing_stops_the_sampler_and_withdraws_waiting_scores(bench) -> None:
    bench.parts.backend.hold()
    sampler = Paced(FAKE_TEXTS, allowed=3)
    async with asyncio.timeout(5):
        async with aclosing(bench.events(sampler, n=4)) as events:
            for _ in range(3):
                await anext(events)
        left = bench.fake.scheduler.snapshot().num_requests
    bench.parts.backend.release()
    assert (sampler.closed, left) == (True, 0)


async def test_cancelling_in_the_middle_of_a_draw_reaches_the_sampler(bench) -> None:
    sampler = FakeSampler(FAKE_TEXTS, hold=True)
    running = asyncio.create_task(bench.find(sampler))
    async with asyncio.timeout(5):
        while not sampler.prompts:  # noqa: ASYNC110 (the task makes it true)
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert (sampler.num_cancelled, bench.telemetry.num_failures) == (1, 0)


async def test_what_cannot_be_ranked_is_refused_before_anything_is_drawn(bench) -> None:
    sampler = FakeSampler(FAKE_TEXTS)
    with pytest.raises(AggregationNotDefined):
        await bench.find(sampler, "outcome_weighted", outcome="raw")
    assert sampler.prompts == []

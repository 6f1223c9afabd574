"""Candidates scored by the models that a strategy needs, over real lines; selection itself has tests of its own."""

import asyncio
from collections.abc import Callable
from typing import get_args

import pytest

from surefoot.candidate_scores import CandidateInput, RankOptions, RankTask
from surefoot.domain import ScoreOptions, Strategy
from surefoot.errors import AggregationNotDefined, EmptyProblem, GroupTooLarge
from surefoot.ranking import Ranker
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.selection import NEEDS_OUTCOME, NEEDS_PROCESS, NEEDS_UNIT_SCORES, STRATEGIES
from surefoot.wiring.fake_service import FakeParts, KeysOnly, build_fake_service

TEXTS = ("2 + 3 = 5.\nThe answer is 5.", "2 * 3 = 6.\nThe answer is 6.", "So 5.\nThe answer is 5.0.")


class Bench:
    """A ranker and the lines of the fake service's models."""

    def __init__(self, parts: FakeParts) -> None:
        self.parts = parts
        self.fake = build_fake_service(parts)
        self.ranker = Ranker(parts.judge)

    def options(self, strategy: Strategy, *, outcome: str = "orm", **fields) -> RankOptions:
        """Options with the models that the strategy needs."""
        registry = self.fake.service.registry
        return RankOptions(
            strategy=strategy,
            process=registry.get("prm").line if NEEDS_PROCESS[strategy] else None,
            outcome=registry.get(outcome).line if NEEDS_OUTCOME[strategy] else None,
            **fields,
        )

    async def rank(self, *tasks: RankTask, strategy: Strategy = "process", **fields):
        return await self.ranker.rank(tasks, self.options(strategy, **fields))


@pytest.fixture
async def open_bench():
    benches = []

    async def build(**parts) -> Bench:
        bench = Bench(FakeParts(**parts))
        await bench.fake.service.start()
        benches.append(bench)
        return bench

    yield build
    for bench in benches:
        await bench.fake.service.close()


@pytest.fixture
async def bench(open_bench) -> Bench:
    return await open_bench()


def task(*texts: str, problem: str = "2 + 3?") -> RankTask:
    return RankTask(problem, tuple(CandidateInput(text=text) for text in texts or TEXTS))


@pytest.mark.parametrize("needs", [NEEDS_PROCESS, NEEDS_OUTCOME])
def test_every_strategy_says_which_models_it_needs(needs) -> None:
    assert set(needs) == set(get_args(Strategy))


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_needs_agree_with_the_scores_that_selection_reads(strategy) -> None:
    scores = STRATEGIES[strategy].scores
    assert NEEDS_PROCESS[strategy] == any(name.startswith("process") for name in scores)
    assert NEEDS_OUTCOME[strategy] == any(name.startswith("outcome") for name in scores)
    assert (strategy in NEEDS_UNIT_SCORES) == any(name.endswith("unit") for name in scores)


@pytest.mark.parametrize("strategy", get_args(Strategy))
async def test_every_strategy_ranks(bench, strategy) -> None:
    [group] = (await bench.rank(task(), strategy=strategy)).groups
    assert sorted(group.selection.order) == [0, 1, 2]


async def test_all_groups_are_scored_together(bench) -> None:
    await bench.rank(task(), task("a", "b"))
    assert [len(batch) for batch in bench.parts.backend.batches] == [5]


async def test_groups_do_not_mix(bench) -> None:
    other = task("It is 4.", problem="4?")
    together = (await bench.rank(task(), other)).groups
    assert together == (*(await bench.rank(task())).groups, *(await bench.rank(other)).groups)


async def test_a_candidate_scores_as_it_does_alone(bench) -> None:
    [together] = (await bench.rank(task())).groups
    [alone] = (await bench.rank(task(TEXTS[1]))).groups
    assert together.process[1] == alone.process[0]


async def test_steps_and_text_are_the_same_candidate(bench) -> None:
    steps = RankTask("2 + 3?", (CandidateInput(steps=tuple(TEXTS[0].split("\n"))),))
    assert (await bench.rank(steps)).groups == (await bench.rank(task(TEXTS[0]))).groups


async def test_an_answer_is_found_in_steps(bench) -> None:
    steps = RankTask("2 + 3?", (CandidateInput(steps=("2 + 3", "The answer is 5.")),))
    assert (await bench.rank(steps)).groups[0].answers == ("5",)


async def test_the_outcome_model_gets_no_aggregation(bench) -> None:
    ranking = await bench.rank(task(), strategy="outcome", outcome="raw", score=ScoreOptions(aggregation="prod"))
    assert ranking.groups[0].errors == (None, None, None)


async def test_the_judge_decides_which_answers_are_one(open_bench) -> None:
    class Agreeable(KeysOnly):
        def equivalent(self, first: str, second: str) -> bool:
            return True

    bench = await open_bench(judge=Agreeable())
    [group] = (await bench.rank(task(r"\boxed{x}", r"\boxed{y}"), strategy="majority")).groups
    assert [vote.count for vote in group.selection.votes] == [2]


async def test_a_candidate_that_one_of_two_models_cannot_read_fails(bench) -> None:
    longest = "x" * 4070
    ranking = await bench.rank(task(TEXTS[0], longest), strategy="process_outcome")
    assert [getattr(error, "code", None) for error in ranking.groups[0].errors] == [None, "input_too_long"]


async def test_a_failed_candidate_has_no_answer(bench) -> None:
    ranking = await bench.rank(task(TEXTS[0], "x" * 5000 + " 7"))
    assert ranking.groups[0].answers == ("5", None)


async def test_an_empty_problem_fails_its_group_alone(bench) -> None:
    failed, ranked = (await bench.rank(task(problem=" "), task())).groups
    assert (type(failed), ranked.selection.best is not None) == (EmptyProblem, True)


async def test_usage_adds_both_models(bench) -> None:
    both = (await bench.rank(task(), strategy="process_outcome")).usage
    parts = [(await bench.rank(task(), strategy=strategy)).usage for strategy in ("process", "outcome")]
    assert both.prompt_tokens == sum(part.prompt_tokens for part in parts)
    assert both.unique_tokens == sum(part.unique_tokens for part in parts)


async def test_an_unmapped_outcome_cannot_weigh(bench) -> None:
    with pytest.raises(AggregationNotDefined):
        await bench.rank(task(), strategy="outcome_weighted", outcome="raw")


async def held(bench: Bench) -> asyncio.Task:
    """A ranking whose forward pass the backend holds until `release`."""
    bench.parts.backend.hold()
    running = asyncio.create_task(bench.rank(task("a")))
    await until(lambda: bool(bench.parts.backend.batches))
    return running


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (a thread makes it true)
            await asyncio.sleep(0.001)


async def test_a_refusal_by_one_model_withdraws_the_others_work(bench, open_bench) -> None:
    process, outcome = [
        (await bench.rank(task(), strategy=strategy)).usage.prompt_tokens for strategy in ("process", "outcome")
    ]
    assert process < outcome
    tight = await open_bench(queue=SchedulerLimits(max_queue_tokens=process))
    running = await held(tight)
    with pytest.raises(GroupTooLarge):
        async with asyncio.timeout(5):
            await tight.rank(task(), strategy="process_outcome")
    tight.parts.backend.release()
    await running
    assert [len(batch) for batch in tight.parts.backend.batches] == [1]


async def test_cancelling_a_ranking_withdraws_the_work_of_both_models(bench) -> None:
    running = await held(bench)
    waiting = asyncio.create_task(bench.rank(task(), strategy="process_outcome"))
    await until(lambda: bench.fake.scheduler.snapshot().num_requests == 6)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert bench.fake.scheduler.snapshot().num_requests == 0
    bench.parts.backend.release()
    await running

"""The line that every score comes from, with real renderers and a real scheduler over the shipped fakes."""

import asyncio
import dataclasses
from collections.abc import Callable

import pytest

from forwarded import rows_of
from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import ForwardItem, Message, ScoreOptions, ScoreTask, SolutionScore, Usage
from surefoot.errors import AggregationNotDefined, EmptyProblem, InputTooLong, NoSteps, QueueFull
from surefoot.forest import count_unique_tokens
from surefoot.pipeline import ScoringLine
from surefoot.ports import SilentTelemetry
from surefoot.profiles import load_profile
from surefoot.readout import read
from surefoot.rendering import build_renderer
from surefoot.rendering.fake_tokenizer import FakeTokenizer
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.scheduler import Scheduler
from surefoot.segmentation import join_steps

TASK = ScoreTask("2 + 3?", steps=("2 + 3 = 5", "The answer is 5."))
DEFAULTS = ScoreOptions()


class GroupCounting(SilentTelemetry):
    def __init__(self) -> None:
        self.groups: list[tuple[str, int, int]] = []

    def group_scored(self, model: str, usage: Usage) -> None:
        self.groups.append((model, usage.prompt_tokens, usage.unique_tokens))


@dataclasses.dataclass
class Bench:
    line: ScoringLine
    backend: FakeBackend
    scheduler: Scheduler
    telemetry: GroupCounting

    async def score(self, *tasks: ScoreTask, **options) -> tuple:
        return (await self.line.score_group(tasks, ScoreOptions(**options))).results

    async def hold_a_pass(self) -> asyncio.Task:
        """A call whose forward pass the backend holds until `release`."""
        self.backend.hold()
        running = asyncio.create_task(self.score(TASK))
        await self.until(lambda: bool(self.backend.batches))
        return running

    async def queued(self, count: int) -> None:
        await self.until(lambda: self.scheduler.snapshot().num_requests == count)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 (a thread makes it true)
                await asyncio.sleep(0.001)


@pytest.fixture
async def bench():
    schedulers = []

    async def build(profile="embedded-prm", max_input_tokens=4096, max_steps=1024, **limits) -> Bench:
        profile = load_profile(profile) if isinstance(profile, str) else profile
        num_columns = {"m": 1} if profile.readout.method == "sequence_scalar" else {}
        backend = FakeBackend(max_input_tokens=max_input_tokens, num_columns=num_columns)
        telemetry = GroupCounting()
        scheduler = Scheduler(backend, SchedulerLimits(**limits), telemetry)
        await scheduler.start()
        schedulers.append((scheduler, backend))
        renderer = build_renderer(profile, FakeTokenizer())
        line = ScoringLine(
            "m",
            profile,
            renderer,
            scheduler,
            telemetry,
            max_input_tokens=max_input_tokens,
            max_steps=max_steps,
            fewest_tokens=FakeTokenizer().fewest_tokens,
        )
        return Bench(line, backend, scheduler, telemetry)

    yield build
    for scheduler, backend in schedulers:
        backend.release()
        await scheduler.close(1)


def rendered_alone(bench: Bench, task: ScoreTask):
    return build_renderer(bench.line.profile, FakeTokenizer()).render(task, join_steps(task.steps, "\n"))


async def test_scores_are_the_readout_of_the_rendered_input(bench) -> None:
    tested = await bench()
    [result] = await tested.score(TASK)
    rendered = rendered_alone(tested, TASK)
    [rows] = rows_of(FakeBackend().forward([ForwardItem(rendered, "m")]))
    assert [step.score for step in result.steps] == [reading.score for reading in read(tested.line.profile, rows, 2)]


async def test_the_head_is_asked_for_by_the_models_name(bench) -> None:
    tested = await bench()
    await tested.score(TASK)
    assert [item.head for batch in tested.backend.batches for item in batch] == ["m"]


async def test_a_group_is_one_submission(bench) -> None:
    tested = await bench()
    await tested.score(*[TASK] * 5)
    assert [len(batch) for batch in tested.backend.batches] == [5]


@pytest.mark.parametrize("profile", ["embedded-prm", "trl-prm"])
async def test_given_steps_and_the_same_text_score_the_same(bench, profile) -> None:
    tested = await bench(profile)
    given, split = await tested.score(TASK, ScoreTask(TASK.problem, solution="\n".join(TASK.steps)))
    assert given == split


async def test_results_keep_the_order_around_failures(bench) -> None:
    tested = await bench()
    bad = ScoreTask("", steps=("a",))
    results = await tested.score(bad, TASK, ScoreTask("p", solution=" "), TASK)
    assert [type(result) for result in results] == [EmptyProblem, SolutionScore, NoSteps, SolutionScore]


async def test_a_group_of_failures_never_reaches_the_scheduler(bench) -> None:
    tested = await bench()
    await tested.score(ScoreTask("", steps=("a",)))
    assert tested.backend.batches == []


async def test_no_tasks_are_no_results(bench) -> None:
    assert await (await bench()).score() == ()


async def test_the_profiles_limit_tightens_the_backends(bench) -> None:
    profile = load_profile("trl-prm").model_copy(update={"max_input_tokens": 10})
    [error] = await (await bench(profile)).score(TASK)
    assert (type(error), error.limit) == (InputTooLong, 10)


async def test_the_backends_limit_tightens_the_profiles(bench) -> None:
    profile = load_profile("trl-prm").model_copy(update={"max_input_tokens": 10_000})
    assert (await bench(profile, max_input_tokens=20)).line.max_input_tokens == 20


async def test_usage_counts_tokens_as_sent_and_once(bench) -> None:
    tested = await bench("trl-prm")
    tasks = [TASK, ScoreTask(TASK.problem, steps=("2 + 3 = 6",))]
    usage = (await tested.line.score_group(tasks, DEFAULTS)).usage
    inputs = [rendered_alone(tested, task).token_ids for task in tasks]
    assert (usage.prompt_tokens, usage.unique_tokens) == (sum(map(len, inputs)), count_unique_tokens(inputs))


async def test_telemetry_hears_of_the_group(bench) -> None:
    tested = await bench()
    usage = (await tested.line.score_group([TASK], DEFAULTS)).usage
    assert tested.telemetry.groups == [("m", usage.prompt_tokens, usage.unique_tokens)]


async def test_a_trace_costs_a_pass_per_step(bench) -> None:
    tested = await bench("embedded-orm")
    await tested.score(TASK, trace=True)
    assert len(tested.backend.batches[0]) == 2


async def test_traces_of_a_group_do_not_mix(bench) -> None:
    tested = await bench("sequence-classification")
    other = ScoreTask("7?", steps=("a", "b", "c"))
    together = await tested.score(TASK, other, trace=True)
    assert together == (*await tested.score(TASK, trace=True), *await tested.score(other, trace=True))


async def test_a_process_model_ignores_trace(bench) -> None:
    tested = await bench()
    assert await tested.score(TASK, trace=True) == await tested.score(TASK)


async def test_a_failure_within_a_trace_fails_its_item_alone(bench) -> None:
    tested = await bench("embedded-orm")
    longest = rendered_alone(tested, TASK).num_tokens
    tested.backend.fail_items(lambda item: item.rendered.num_tokens == longest)
    results = await tested.score(TASK, ScoreTask("p", steps=("a",)), trace=True)
    assert [getattr(result, "code", "scored") for result in results] == ["backend_failed", "scored"]


async def test_an_undefined_aggregation_is_refused_before_any_work(bench) -> None:
    profile = load_profile("sequence-classification").model_copy(update={"unit_map": None})
    tested = await bench(profile)
    with pytest.raises(AggregationNotDefined):
        await tested.score(TASK, aggregation="prod")
    assert tested.backend.batches == []


async def test_a_full_queue_refuses_the_whole_group(bench) -> None:
    tested = await bench(max_queue_items=2)
    running = await tested.hold_a_pass()
    waiting = asyncio.create_task(tested.score(TASK))
    await tested.queued(1)
    with pytest.raises(QueueFull):
        await tested.score(TASK, TASK)
    tested.backend.release()
    await asyncio.gather(running, waiting)


async def test_a_cancelled_group_leaves_the_queue(bench) -> None:
    tested = await bench()
    running = await tested.hold_a_pass()
    waiting = asyncio.create_task(tested.score(TASK, TASK))
    await tested.queued(2)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert tested.scheduler.snapshot().num_requests == 0
    tested.backend.release()
    await running


async def test_priority_reaches_the_scheduler(bench) -> None:
    tested = await bench(max_batch_items=1)
    running = [await tested.hold_a_pass()]
    for count, priority in enumerate(("bulk", "interactive"), start=1):
        task = ScoreTask(priority, steps=("a",))
        running.append(asyncio.create_task(tested.score(task, priority=priority)))
        await tested.queued(count)
    tested.backend.release()
    await asyncio.gather(*running)
    texts = [FakeTokenizer().decode(batch[0].rendered.token_ids) for batch in tested.backend.batches[1:]]
    assert ["interactive" in texts[0], "bulk" in texts[1]] == [True, True]


async def test_earlier_turns_are_read_before_the_problem(bench) -> None:
    tested = await bench()
    context = (Message("user", "Hi"), Message("assistant", "Hello"))
    await tested.score(dataclasses.replace(TASK, context=context))
    text = FakeTokenizer().decode(tested.backend.batches[0][0].rendered.token_ids)
    assert text.index("Hello") < text.index(TASK.problem)


class StubbornTokenizer(FakeTokenizer):
    """Fails for one text in a way that nobody foresaw."""

    def encode_parts(self, parts):
        text = "".join(part.text for part in parts)
        if "kaboom" in text:
            raise RuntimeError(f"cannot read {text}")
        return super().encode_parts(parts)


async def test_an_item_that_breaks_the_tokenizer_fails_alone_and_is_not_quoted(bench, caplog) -> None:
    tested = await bench()
    tested.line.preparation._renderer = build_renderer(tested.line.profile, StubbornTokenizer())
    first, second = await tested.score(ScoreTask("p", steps=("kaboom secret",)), TASK)
    assert isinstance(first, RuntimeError)
    assert isinstance(second, SolutionScore)
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text

"""What cannot fit is refused before anything is split, rendered or tokenised."""

import dataclasses

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import Message, RenderedInput, ScoreOptions, ScoreTask, Solution
from surefoot.errors import InputTooLong, ItemError, TooManySteps
from surefoot.pipeline import ScoringLine
from surefoot.ports import SilentTelemetry
from surefoot.profiles import load_profile
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.scheduler import Scheduler

LONG = "x" * 5_000_000


class Untouched:
    """A renderer that must not be reached; it notes what came to it."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def render(self, task: ScoreTask, solution: Solution) -> RenderedInput:
        self.seen.append(len(solution.steps))
        return RenderedInput((0,) * 8, tuple(range(min(8, len(solution.steps)))))


@dataclasses.dataclass
class Refusing:
    renderer: Untouched
    line: ScoringLine

    async def error(self, task: ScoreTask, **options) -> Exception:
        [result] = (await self.line.score_group([task], ScoreOptions(**options))).results
        assert isinstance(result, ItemError)
        return result


def refusing(profile: str = "embedded-prm", **limits) -> Refusing:
    renderer = Untouched()
    chosen = {"max_input_tokens": 4096, "max_steps": 4, "fewest_tokens": lambda text: len(text) // 10} | limits
    scheduler = Scheduler(FakeBackend(), SchedulerLimits(), SilentTelemetry())
    return Refusing(renderer, ScoringLine("m", load_profile(profile), renderer, scheduler, SilentTelemetry(), **chosen))


@pytest.mark.parametrize(
    "task",
    [
        ScoreTask("p", solution=LONG),
        ScoreTask("p", solution="a\n" * 2_500_000),
        ScoreTask("p", steps=(LONG,)),
        ScoreTask("p", steps=("x" * 20_000, "x" * 20_000, "x" * 20_000)),
        ScoreTask(LONG, steps=("a",)),
        ScoreTask("p", steps=("a",), context=(Message("user", LONG), Message("assistant", "b"))),
    ],
    ids=["solution", "lines", "step", "steps-together", "problem", "context"],
)
async def test_a_text_that_cannot_fit_is_not_rendered(task) -> None:
    tested = refusing()
    assert type(await tested.error(task)) is InputTooLong
    assert tested.renderer.seen == []


async def test_the_message_says_that_the_count_is_a_lower_bound() -> None:
    error = await refusing().error(ScoreTask("p", solution=LONG))
    assert error.message == "the rendered input has at least 500000 tokens, limit 4096"


@pytest.mark.parametrize("task", [ScoreTask("p", steps=("a",) * 10_000), ScoreTask("p", solution="a\n" * 10_000)])
async def test_too_many_steps_are_not_rendered(task) -> None:
    tested = refusing()
    error = await tested.error(task)
    assert (type(error), error.num_steps, error.limit, tested.renderer.seen) == (TooManySteps, 10_000, 4, [])


async def test_too_many_steps_name_both_counts_and_the_setting() -> None:
    message = (await refusing().error(ScoreTask("p", steps=("a",) * 5))).message
    assert ("5 steps, limit 4" in message, "limits.max_steps" in message) == (True, True)


async def test_as_many_steps_as_allowed_are_rendered() -> None:
    tested = refusing()
    tested.line.preparation.prepare(ScoreTask("p", steps=("a",) * 4))
    assert tested.renderer.seen == [4]


async def test_a_trace_that_is_too_long_costs_no_beginnings() -> None:
    tested = refusing("embedded-orm", max_input_tokens=7, fewest_tokens=lambda _: 0)
    await tested.error(ScoreTask("p", steps=("a", "b", "c")), trace=True)
    assert tested.renderer.seen == [3]

"""What a shadow makes of two models' scores, and that one that hangs holds nobody up."""

import asyncio

import pytest

from surefoot.domain import GroupScore, ScoredBy, ScoreTask, SolutionScore, StepScore, Timing, Usage
from surefoot.errors import DeadlineExceeded, NoSteps, QueueFull, RequestError
from surefoot.ports import SilentTelemetry
from surefoot.profiles import load_profile
from surefoot.scheduling.admission import Occupancy
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.shadow import MAX_PENDING, MAX_SOLUTIONS, Shadow, compare

PRM = ScoredBy("prm", "process", "probability", "min")
TASKS = [ScoreTask("a", "x"), ScoreTask("a", "y"), ScoreTask("b", "x")]


def scored(*scores: float) -> SolutionScore:
    steps = tuple(StepScore(index, (0, 1), score, (), None) for index, score in enumerate(scores))
    return SolutionScore("process", "a", steps, min(scores), None, 0, None, None, {"min": min(scores)}, 9)


def test_differences_are_of_steps_in_order() -> None:
    found = compare(PRM, PRM, TASKS[:1], [scored(0.5, 0.9)], [scored(0.25, 1.0)])
    assert found.differences == pytest.approx((0.25, 0.1))


def test_scores_are_judged_by_each_models_own_threshold() -> None:
    strict = ScoredBy("prm", "process", "probability", "min", 0.8)
    found = compare(PRM, strict, TASKS[:1], [scored(0.5, 0.9, 0.4)], [scored(0.7, 0.8, 0.1)])
    assert found.alike == (False, True, True)


def test_bests_are_compared_within_each_problem() -> None:
    ours = [scored(0.5), scored(0.6), scored(0.1)]
    assert compare(PRM, PRM, TASKS, ours, [scored(0.7), scored(0.2), scored(0.3)]).other_best == (True,)
    assert compare(PRM, PRM, TASKS, ours, [scored(0.1), scored(0.2), scored(0.3)]).other_best == (False,)


def test_other_scales_and_other_steps_have_no_differences() -> None:
    reward = ScoredBy("prm", "process", "unbounded", "min")
    assert compare(PRM, reward, TASKS[:1], [scored(0.5)], [scored(3.0)]).differences == ()
    assert compare(PRM, PRM, TASKS[:1], [scored(0.5)], [scored(0.5, 0.5)]).differences == ()


def test_an_item_that_was_not_served_is_left_out() -> None:
    found = compare(PRM, PRM, TASKS, [NoSteps("none"), scored(0.5), scored(0.5)], [scored(0.1)] * 3)
    assert (found.differences, found.other_best) == (pytest.approx((0.4, 0.4)), ())


class Line:
    """Gives the next of `outcomes` for every item, raises what fails a whole group, and hangs where there is none."""

    name, profile, max_input_tokens = "prm", load_profile("embedded-prm"), 100

    def __init__(self, *outcomes: object) -> None:
        self.outcomes = list(outcomes)
        self.options: list[object] = []

    async def score_group(self, tasks, options) -> GroupScore:
        self.options.append(options)
        if not self.outcomes:
            await asyncio.Event().wait()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, RequestError | RuntimeError):
            raise outcome
        return GroupScore((outcome,) * len(tasks), Usage(1, 1, 0), Timing(0, 0, 0))


class Queue:
    limits = SchedulerLimits(bulk_max_wait_s=3)

    def __init__(self, waiting: int = 0) -> None:
        self.waiting = waiting

    def snapshot(self) -> Occupancy:
        return Occupancy(self.waiting, self.waiting)


def shadow_of(line: Line, *waiting: int) -> Shadow:
    return Shadow(line, [Queue(count) for count in waiting or (0, 0)], SilentTelemetry(), 1.0)


async def offered(shadow: Shadow, times: int = 1) -> tuple[int, int, int]:
    """Compared, dropped and failed groups."""
    for _ in range(times):
        shadow.offer(PRM, TASKS[:1], [scored(0.5)])
    for _ in range(5):
        await asyncio.sleep(0)
    return shadow.summary.compared, shadow.summary.dropped, shadow.summary.failed


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (scored(0.5), (1, 0, 0)),
        (QueueFull("full"), (0, 1, 0)),
        (DeadlineExceeded("late"), (0, 1, 0)),
        (RuntimeError("boom"), (0, 0, 1)),
        (NoSteps("none"), (0, 0, 1)),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_whatever_comes_of_it_is_counted(outcome, expected) -> None:
    assert await offered(shadow_of(Line(outcome))) == expected


async def test_it_stands_behind_everything_and_is_given_up_before_it_becomes_urgent() -> None:
    line = Line(scored(0.5))
    await offered(shadow_of(line))
    [options] = line.options
    assert (options.priority, options.timeout_s, options.is_counted) == ("bulk", 3, False)


async def test_a_candidate_that_hangs_holds_nobody_up() -> None:
    shadow = shadow_of(Line())
    assert await offered(shadow, MAX_PENDING + 3) == (0, 3, 0)
    shadow.end()


@pytest.mark.parametrize("waiting", [(1, 0), (0, 1)], ids=["its own queue", "the queue of the served model"])
async def test_nothing_is_begun_while_something_waits(waiting) -> None:
    line = Line(scored(0.5))
    assert await offered(shadow_of(line, *waiting)) == (0, 1, 0)
    assert line.options == []


async def test_a_large_group_is_dropped() -> None:
    shadow = shadow_of(Line(scored(0.5)))
    count = MAX_SOLUTIONS + 1
    shadow.offer(PRM, TASKS[:1] * count, [scored(0.5)] * count)
    assert shadow.summary.dropped == 1


async def test_ending_withdraws_what_is_under_way() -> None:
    shadow = shadow_of(Line())
    await offered(shadow)
    shadow.end()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "shadow"]

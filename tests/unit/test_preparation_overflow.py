"""Where a profile allows it, an input that is too long loses its beginning, and never a place that is read."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import RenderedInput, ScoreOptions, ScoreTask, SolutionScore
from surefoot.errors import InputTooLong
from surefoot.pipeline import ScoringLine
from surefoot.ports import SilentTelemetry
from surefoot.profiles import load_profile
from surefoot.rendering import build_renderer
from surefoot.rendering.fake_tokenizer import FakeTokenizer
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.scheduler import Scheduler
from surefoot.segmentation import join_steps

TASK = ScoreTask("2 + 3?", steps=("2 + 3 = 5", "The answer is 5."))
LONG_PROBLEM = ScoreTask("2 + 3? " * 40, steps=TASK.steps)


@dataclass
class Shortening:
    """A line whose profile drops the beginning."""

    line: ScoringLine
    backend: FakeBackend

    async def score(self, task: ScoreTask) -> SolutionScore | Exception:
        [result] = (await self.line.score_group([task], ScoreOptions())).results
        return result

    def forwarded(self) -> RenderedInput:
        [[item]] = self.backend.batches
        return item.rendered


def whole(profile: str, task: ScoreTask) -> RenderedInput:
    return build_renderer(load_profile(profile), FakeTokenizer()).render(task, join_steps(task.steps, "\n"))


@pytest.fixture
async def shortening() -> AsyncIterator[Callable[..., object]]:
    schedulers = []

    async def build(name: str, limit: int) -> Shortening:
        profile = load_profile(name).model_copy(update={"overflow": "truncate_left"})
        num_columns = {"m": 1} if profile.readout.method == "log_ratio" else {}
        backend, tokenizer = FakeBackend(num_columns=num_columns), FakeTokenizer()
        scheduler = Scheduler(backend, SchedulerLimits(), SilentTelemetry())
        schedulers.append(scheduler)
        await scheduler.start()
        line = ScoringLine(
            "m",
            profile,
            build_renderer(profile, tokenizer),
            scheduler,
            SilentTelemetry(),
            max_input_tokens=limit,
            max_steps=10,
            fewest_tokens=tokenizer.fewest_tokens,
        )
        return Shortening(line, backend)

    yield build
    for scheduler in schedulers:
        await scheduler.close(1)


@pytest.mark.parametrize("profile", ["trl-prm", "embedded-orm"])
async def test_the_end_of_a_long_input_is_scored(shortening, profile: str) -> None:
    tested = await shortening(profile, 100)
    assert isinstance(await tested.score(LONG_PROBLEM), SolutionScore)
    assert tested.forwarded().token_ids == whole(profile, LONG_PROBLEM).token_ids[-100:]


async def test_positions_move_with_what_is_dropped(shortening) -> None:
    tested, expected = await shortening("trl-prm", 100), whole("trl-prm", LONG_PROBLEM)
    await tested.score(LONG_PROBLEM)
    found = tested.forwarded()
    after_positions = [found.token_ids[position:] for position in found.readout_positions]
    assert after_positions == [expected.token_ids[position:] for position in expected.readout_positions]


async def test_the_solutions_start_moves_with_what_is_dropped(shortening) -> None:
    tested, expected = await shortening("eurus-prm", 100), whole("eurus-prm", LONG_PROBLEM)
    await tested.score(LONG_PROBLEM)
    found = tested.forwarded()
    assert found.token_ids[found.solution_start :] == expected.token_ids[expected.solution_start :]


async def test_what_fits_is_not_shortened(shortening) -> None:
    tested = await shortening("trl-prm", 100)
    await tested.score(TASK)
    assert tested.forwarded() == whole("trl-prm", TASK)


@pytest.mark.parametrize(("spare", "outcome"), [(0, SolutionScore), (-1, InputTooLong)])
async def test_a_place_that_is_read_may_become_the_first_and_is_never_lost(shortening, spare, outcome) -> None:
    rendered = whole("trl-prm", TASK)
    needed = rendered.num_tokens - rendered.readout_positions[0]
    assert type(await (await shortening("trl-prm", needed + spare)).score(TASK)) is outcome


@pytest.mark.parametrize(("spare", "outcome"), [(0, SolutionScore), (-1, InputTooLong)])
async def test_where_every_token_of_the_solution_counts_none_is_lost(shortening, spare, outcome) -> None:
    rendered = whole("eurus-prm", TASK)
    needed = rendered.num_tokens - rendered.solution_start + 1
    assert type(await (await shortening("eurus-prm", needed + spare)).score(TASK)) is outcome


async def test_a_refusal_says_the_true_number_of_tokens(shortening) -> None:
    task = ScoreTask("p", steps=("a", "b" * 200))
    error = await (await shortening("trl-prm", 100)).score(task)
    assert (error.num_tokens, error.limit) == (whole("trl-prm", task).num_tokens, 100)

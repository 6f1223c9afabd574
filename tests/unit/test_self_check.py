"""The proof at start: a served path that is wrong in any way is found, a right one passes, and the numbers are told."""

import asyncio
import logging
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest

from forwarded import with_rows
from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import Forwarded, ForwardItem, RenderedInput, Rows
from surefoot.errors import BackendFailed, SelfCheckFailed
from surefoot.pipeline import ScoringLine, Submits
from surefoot.ports import SilentTelemetry
from surefoot.profiles import Golden, Profile, load_profile
from surefoot.rendering import build_renderer
from surefoot.rendering.fake_tokenizer import FakeTokenizer
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.scheduler import Scheduler
from surefoot.self_check import PROBES, PlainPass, check_scores, plain_scores, served_scores

PRM, ORM = load_profile("embedded-prm"), load_profile("embedded-orm")
REWARD = load_profile("sequence-classification")


class ShiftedByOne(FakeBackend):
    """Reads each value one token too late, or at the end one too early."""

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        return super().forward([ForwardItem(_shifted(item.rendered), item.head) for item in batch])


def _shifted(rendered: RenderedInput) -> RenderedInput:
    last = rendered.num_tokens - 1
    return RenderedInput(
        rendered.token_ids,
        tuple(place + 1 if place < last else place - 1 for place in rendered.readout_positions),
    )


class SwappedColumns(FakeBackend):
    """Gives the columns of each row in the wrong order."""

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        return with_rows(super().forward(batch), lambda rows: tuple(row[::-1] for row in rows))


class ChangedByNeighbours(FakeBackend):
    """Gives other values in a batch than alone, as padding does."""

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        push = 0.01 * (len(batch) - 1)
        return with_rows(super().forward(batch), lambda rows: tuple((row[0] + push, *row[1:]) for row in rows))


class NotFinite(FakeBackend):
    """Gives NaN."""

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        return with_rows(super().forward(batch), lambda rows: tuple((math.nan,) * len(row) for row in rows))


@dataclass(frozen=True)
class MixingItems:
    """A scheduler that hands the results of equally long lists of rows to the wrong items."""

    scheduler: Scheduler

    def check_room(self, num_tokens: int, **options) -> None:
        self.scheduler.check_room(num_tokens, **options)

    def submit_group(self, items: Sequence[ForwardItem], **options) -> list[asyncio.Future]:
        places: dict[int, list[int]] = {}
        for place, item in enumerate(items):
            places.setdefault(len(item.rendered.readout_positions), []).append(place)
        order = list(range(len(items)))
        for group in places.values():
            for place, other in zip(group, [*group[1:], group[0]], strict=True):
                order[place] = other
        futures = self.scheduler.submit_group(items, **options)
        return [futures[place] for place in order]


def plain_pass_of(backend: FakeBackend) -> PlainPass:
    async def plain(item: ForwardItem) -> Rows:
        return backend.plain_rows(item)

    return plain


Check = Callable[..., Awaitable]


@pytest.fixture
async def line_on() -> AsyncIterator[Callable[..., Awaitable[ScoringLine]]]:
    """Builds lines on a backend; `mixes` puts the wrong scheduler in front of it."""
    opened: list[Scheduler] = []

    async def build(
        backend: FakeBackend,
        profile: Profile = PRM,
        *,
        mixes: bool = False,
        max_input_tokens: int = 4096,
        max_steps: int = 1024,
        **limits,
    ) -> ScoringLine:
        if profile.readout.method == "sequence_scalar":
            backend.num_columns["tested"] = 1
        scheduler = Scheduler(backend, SchedulerLimits(**limits), SilentTelemetry())
        opened.append(scheduler)
        await scheduler.start()
        submits: Submits = MixingItems(scheduler) if mixes else scheduler
        tokenizer = FakeTokenizer()
        return ScoringLine(
            "tested",
            profile,
            build_renderer(profile, tokenizer),
            submits,
            SilentTelemetry(),
            max_input_tokens=max_input_tokens,
            max_steps=max_steps,
            fewest_tokens=tokenizer.fewest_tokens,
        )

    yield build
    for scheduler in opened:
        await scheduler.close(1.0)


@pytest.fixture
def check(line_on) -> Check:
    """Checks the line on a backend against that backend's plain pass."""

    async def run(backend: FakeBackend, profile: Profile = PRM, **options):
        line = await line_on(backend, profile, **options)
        return await check_scores(line, plain_scores(line, plain_pass_of(backend)), "float32")

    return run


def with_golden(profile: Profile, *golden: Golden) -> Profile:
    return profile.model_copy(update={"golden": golden})


async def golden_of(line: ScoringLine, *, moved_by: float = 0.0) -> Golden:
    """What the line gives for two steps, the last score moved."""
    task = PROBES["inner separators"]
    *before, last = (await served_scores(line, {"it": task}))["it"]
    return Golden(problem=task.problem, steps=task.steps, scores=(*before, last + moved_by))


@pytest.mark.parametrize("profile", [PRM, ORM, REWARD], ids=lambda profile: profile.name)
async def test_a_right_path_passes(check, profile: Profile) -> None:
    found = await check(FakeBackend(), profile)
    assert (found.state, found.against, found.max_difference) == ("passed", "plain_forward", 0.0)


async def test_every_step_of_every_probe_is_compared(check) -> None:
    assert (await check(FakeBackend())).num_scores == sum(len(probe.steps or ()) for probe in PROBES.values())


async def test_probes_of_mixed_lengths_run_in_one_batch(check) -> None:
    backend = FakeBackend()
    await check(backend)
    (batch,) = backend.batches
    lengths = [item.rendered.num_tokens for item in batch]
    assert len(set(lengths)) == len(PROBES)
    assert lengths not in (sorted(lengths), sorted(lengths, reverse=True))


@pytest.mark.parametrize("profile", [PRM, ORM], ids=lambda profile: profile.name)
@pytest.mark.parametrize("wrong", [ShiftedByOne, SwappedColumns, ChangedByNeighbours])
async def test_a_wrong_backend_is_found(check, wrong: type[FakeBackend], profile: Profile) -> None:
    with pytest.raises(SelfCheckFailed):
        await check(wrong(), profile)


@pytest.mark.parametrize("profile", [PRM, ORM, REWARD], ids=lambda profile: profile.name)
async def test_a_scheduler_that_mixes_items_is_found(check, profile: Profile) -> None:
    with pytest.raises(SelfCheckFailed):
        await check(FakeBackend(), profile, mixes=True)


async def test_a_mismatch_is_told_with_its_numbers(check) -> None:
    with pytest.raises(SelfCheckFailed) as raised:
        await check(SwappedColumns())
    message = raised.value.message
    number = r"[0-9.e-]+"
    assert any(f"probe {name!r}" in message for name in PROBES)
    assert re.search(
        rf"step \d+: served {number}, a plain forward pass gives {number}: {number} apart, tolerance 1e-05 "
        r"\(\d+ of \d+ scores differ\)",
        message,
    )


async def test_values_that_are_not_finite_are_found(check) -> None:
    with pytest.raises(SelfCheckFailed, match="non_finite_score"):
        await check(NotFinite())


async def test_a_backend_that_fails_is_found(check) -> None:
    backend = FakeBackend()
    backend.fail_items(lambda _: True)
    with pytest.raises(SelfCheckFailed, match=BackendFailed.code):
        await check(backend)


async def test_a_queue_too_small_for_the_probes_is_said(check) -> None:
    with pytest.raises(SelfCheckFailed, match="group_too_large"):
        await check(FakeBackend(), max_queue_items=2)


async def test_a_full_queue_is_waited_for(line_on) -> None:
    backend = FakeBackend()
    backend.hold()
    line = await line_on(backend, max_queue_items=len(PROBES))
    busy = [asyncio.create_task(served_scores(line, PROBES)) for _ in range(2)]
    await asyncio.sleep(0.05)
    checked = asyncio.create_task(check_scores(line, plain_scores(line, plain_pass_of(backend)), "float32"))
    await asyncio.sleep(0.05)
    backend.release()
    async with asyncio.timeout(10):
        assert (await checked).state == "passed"
        await asyncio.gather(*busy)


async def test_probes_too_long_for_the_model_are_left_out(check) -> None:
    found = await check(FakeBackend(), max_steps=2)
    assert found.num_scores == sum(len(probe.steps) for probe in PROBES.values() if len(probe.steps or ()) <= 2)


async def test_a_difference_of_an_unbounded_reward_is_relative(line_on) -> None:
    """A reward beyond 2 that is 2e-5 off differs by less than 1e-5 of its size."""
    backend = FakeBackend()
    line = await line_on(backend, REWARD)
    task = PROBES["unicode"]
    (score,) = (await served_scores(line, {"it": task}))["it"]
    assert abs(score) > 2.1
    pinned = Golden(problem=task.problem, steps=task.steps, scores=(score + 2e-5,))
    line.profile = with_golden(REWARD, pinned)
    assert (await check_scores(line, None, "float32")).state == "passed"


async def test_golden_values_are_checked_without_a_plain_pass(line_on) -> None:
    golden = await golden_of(await line_on(FakeBackend()))
    found = await check_scores(await line_on(FakeBackend(), with_golden(PRM, golden)), None, "float32")
    assert (found.state, found.against, found.num_scores) == ("passed", "golden", 2)


async def test_golden_values_are_checked_beside_the_plain_pass(line_on, check) -> None:
    golden = await golden_of(await line_on(FakeBackend()), moved_by=0.01)
    with pytest.raises(SelfCheckFailed, match=r"golden\[0\]"):
        await check(FakeBackend(), with_golden(PRM, golden))


async def test_a_golden_mismatch_names_probe_step_and_pinned_value(line_on) -> None:
    golden = await golden_of(await line_on(FakeBackend()), moved_by=0.01)
    line = await line_on(FakeBackend(), with_golden(PRM, golden))
    with pytest.raises(SelfCheckFailed, match=rf"'golden\[0\]', step 1: served .*{golden.scores[1]:.7g}") as raised:
        await check_scores(line, None, "float32")
    assert raised.value.param == "profile"


async def test_golden_values_are_held_to_a_wider_tolerance_in_half_precision(line_on) -> None:
    golden = await golden_of(await line_on(FakeBackend()), moved_by=PRM.tolerance.across_dtypes * 0.9)
    line = await line_on(FakeBackend(), with_golden(PRM, golden))
    assert (await check_scores(line, None, "bfloat16")).state == "passed"


async def test_without_anything_to_compare_with_it_is_unverified(line_on, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        found = await check_scores(await line_on(FakeBackend()), None, "float32")
    assert (found.state, found.against, found.num_scores) == ("unverified", None, 0)
    assert "surefoot models pin" in found.detail
    assert "model tested: self-check: unverified" in caplog.text


async def test_without_a_probe_that_fits_it_is_unverified(check) -> None:
    found = await check(FakeBackend(), max_input_tokens=16)
    assert (found.state, "16 tokens" in found.detail) == ("unverified", True)


async def test_a_pass_is_in_the_log(check, caplog) -> None:
    with caplog.at_level(logging.INFO):
        await check(FakeBackend())
    assert "model tested: self-check passed: 11 scores, at most 0 from plain forward" in caplog.text

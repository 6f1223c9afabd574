"""A generative verifier over the shipped fakes: texts are scripted, verdicts hashed."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import GroupScore, ScoredBy, ScoreOptions, ScoreTask, SolutionScore, Usage
from surefoot.generative import CritiqueSource, GenerativeScorer
from surefoot.pipeline import ScoringLine
from surefoot.ports import SilentTelemetry
from surefoot.profiles import Profile, load_profile
from surefoot.rendering import build_renderer
from surefoot.rendering.fake_tokenizer import FIRST_WORD_ID, FakeTokenizer
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.scheduling.scheduler import Scheduler

TEXTS = ("Step 1 adds up.\nIs the solution correct? Yes", "No, step 1 is off.\nIs the solution correct? No")


class Counting(SilentTelemetry):
    """Remembers what was counted."""

    def __init__(self) -> None:
        self.groups: list[tuple[str, int, int]] = []
        self.sampled: list[tuple[str, int, int]] = []
        self.failed: list[str] = []
        self.qualities: list[tuple[ScoredBy, list[int]]] = []
        self.refused: list[tuple[str, str]] = []

    def solutions_scored(self, by: ScoredBy, groups: Sequence[Sequence[SolutionScore]]) -> None:
        self.qualities.append((by, [len(group) for group in groups]))

    def admission_refused(self, backend: str, reason: str) -> None:
        self.refused.append((backend, reason))

    def group_scored(self, model: str, usage: Usage) -> None:
        self.groups.append((model, usage.prompt_tokens, usage.unique_tokens))

    def candidates_sampled(self, generator: str, num_candidates: int, num_tokens: int, seconds: float) -> None:
        self.sampled.append((generator, num_candidates, num_tokens))

    def sampler_failed(self, generator: str) -> None:
        self.failed.append(generator)


@dataclasses.dataclass
class Bench:
    """A verifier and the parts that it is made of."""

    scorer: GenerativeScorer
    sampler: FakeSampler
    backend: FakeBackend
    scheduler: Scheduler
    telemetry: Counting
    tokenizer: FakeTokenizer

    async def group(self, *tasks: ScoreTask, **options: Any) -> GroupScore:
        async with asyncio.timeout(10):
            return await self.scorer.score_group(tasks, ScoreOptions(**options))

    async def score(self, task: ScoreTask, **options: Any) -> SolutionScore:
        """The score of one task, whose error is raised."""
        (result,) = (await self.group(task, **options)).results
        if isinstance(result, Exception):
            raise result
        return result

    async def error(self, task: ScoreTask, **options: Any) -> Exception:
        (result,) = (await self.group(task, **options)).results
        assert isinstance(result, Exception), result
        return result

    def read_texts(self) -> list[str]:
        """Everything that was forwarded, control tokens spelled out."""
        return [self.tokenizer.spelled(item.rendered.token_ids) for batch in self.backend.batches for item in batch]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 (a thread or another task makes it true)
                await asyncio.sleep(0.001)


@pytest.fixture
async def verifier() -> AsyncIterator[Callable[..., Any]]:
    """Builds a bench: `await verifier(samples=4)`; further names are fields of the readout."""
    opened: list[Bench] = []

    async def build(
        texts: Sequence[str] = TEXTS,
        *,
        sampler: FakeSampler | None = None,
        max_input_tokens: int = 4096,
        max_concurrent: int = 8,
        vocabulary_size: int = 2 * FIRST_WORD_ID,
        limits: SchedulerLimits | None = None,
        **readout: Any,
    ) -> Bench:
        if readout.get("samples", 1) > 1:
            readout = {"sampling_temperature": 0.7} | readout
        fields = load_profile("thinkprm").model_dump()
        profile = Profile.model_validate(fields | {"readout": fields["readout"] | readout})
        tokenizer, telemetry = FakeTokenizer.for_profile(profile), Counting()
        backend = FakeBackend(max_input_tokens=max_input_tokens)
        scheduler = Scheduler(backend, limits or SchedulerLimits(), telemetry)
        await scheduler.start()
        line = ScoringLine(
            "critic",
            profile,
            build_renderer(profile, tokenizer),
            scheduler,
            telemetry,
            max_input_tokens=max_input_tokens,
            max_steps=1024,
            fewest_tokens=tokenizer.fewest_tokens,
        )
        chosen = sampler or FakeSampler(texts)
        source = CritiqueSource(profile.readout, chosen, tokenizer, telemetry, vocabulary_size=vocabulary_size)
        scorer = GenerativeScorer(
            line, source, scheduler, telemetry, limits=limits or SchedulerLimits(), max_concurrent=max_concurrent
        )
        opened.append(Bench(scorer, chosen, backend, scheduler, telemetry, tokenizer))
        return opened[-1]

    yield build
    for bench in opened:
        bench.backend.release()
        await bench.scheduler.close(1)

"""Proof at start: a model's scores are checked before anyone is served with them.

Probes go through the served path (queue, batch, packed forward pass) and, each alone, through one plain forward pass;
golden values that the profile pins are checked wherever there are some.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from surefoot.domain import DtypeName, ForwardItem, GroupScore, Rows, ScoreOptions, ScoreTask, SolutionScore
from surefoot.errors import InputTooLong, ItemError, QueueFull, RequestError, SelfCheckFailed, TooManySteps
from surefoot.pipeline import ModelScorer, ScoringLine
from surefoot.readout import read

log = logging.getLogger(__name__)

Against = Literal["plain_forward", "golden"]
PlainPass = Callable[[ForwardItem], Awaitable[Rows]]
"""The rows of one input by one ordinary forward pass, with no other input beside it."""
PlainScores = Callable[[ScoreTask], Awaitable[list[float]]]
"""A task's scores by such a pass: one per step, of an outcome model one. Raises `ItemError`."""

PROBES: Mapping[str, ScoreTask] = MappingProxyType(
    {
        "several steps": ScoreTask(
            "Tom has 3 bags of 4 apples and eats 2. How many are left?",
            steps=("3 * 4 = 12 apples.", "12 - 2 = 10 are left. The answer is 10."),
        ),
        "one step": ScoreTask("What is 7 * 8?", steps=("7 * 8 = 54.",)),
        "long": ScoreTask(
            "What is 1 + 2 + 3 + 4 + 5 + 6?",
            steps=tuple(f"Adding {n} to {n * (n - 1) // 2} gives {n * (n + 1) // 2}." for n in range(2, 7)),
        ),
        "unicode": ScoreTask("Résous √x = 3 😀", steps=("x = 3² = 9，因此答案是 9。",)),
        "inner separators": ScoreTask("Add 1/2 and 1/3.", steps=("1/2 = 3/6\n\n1/3 = 2/6", "Step 2: 5/6.\n")),
    }
)
"""Few and short, so that they cost little on a large model; of different lengths, and in no order of length, so that
an input read at its neighbour's place shows."""

# Defined on every scale; the aggregate itself is not compared.
_OPTIONS = ScoreOptions(aggregation="last", is_counted=False)
_BEYOND_LIMITS = (InputTooLong, TooManySteps)


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """What the proof gave: how far the served scores were at most from those of `against`.

    `golden` where the profile pins values, which the plain forward pass, where there is one, agreed with the served
    path before. `unverified` has nothing to compare with; `detail` then says how to change that.
    """

    state: Literal["passed", "unverified"]
    against: Against | None = None
    max_difference: float | None = None
    num_scores: int = 0
    detail: str = ""


NOT_CHECKED = SelfCheck("unverified", detail="not checked")
"""Of a model that is not served yet."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One score, as it was served and as it should be."""

    probe: str
    step: int
    served: float
    expected: float

    @property
    def difference(self) -> float:
        """Absolute; beyond 1, which only an unbounded reward reaches, relative to what is expected."""
        return abs(self.served - self.expected) / max(1.0, abs(self.expected))


_EXPECTED: Mapping[Against, str] = {"plain_forward": "a plain forward pass gives", "golden": "pinned is"}
_ADVICE: Mapping[Against, str] = {
    "plain_forward": "the served path is not to be trusted with this model: try dtype = 'float32', and report it",
    "golden": "this is not what was pinned: check the model's path and the profile; where only dtype differs, "
    "raise tolerance.across_dtypes in the profile, or set dtype = 'float32'",
}


async def check_scores(line: ModelScorer, plain: PlainScores | None, dtype: DtypeName) -> SelfCheck:
    """Compare what `line` serves with a plain forward pass, where there is one, and with the profile's golden values.

    `dtype` is the served one, whose tolerance the profile names. Raises `SelfCheckFailed` with the numbers.
    """
    tolerance = line.profile.tolerance
    of_dtype: float = getattr(tolerance, dtype)
    done: SelfCheck | None = None
    if plain is not None:
        done = _judged(line, "plain_forward", await _against_plain(line, plain), of_dtype)
    if line.profile.golden:
        allowed = of_dtype if dtype == "float32" else tolerance.across_dtypes
        done = _judged(line, "golden", await _against_golden(line), allowed) or done
    if done is not None:
        return done
    reason = (
        f"nothing to compare with is within the limits ({line.max_input_tokens} tokens an input)"
        if plain is not None or line.profile.golden
        else "this backend has no plain forward pass to compare with, and the profile pins no golden values"
    )
    detail = (
        f"unverified: {reason}; `surefoot models pin --model PATH --profile {line.profile.name} -o my-profile.toml` "
        "makes a profile with golden values"
    )
    log.warning("model %s: self-check: %s", line.name, detail)
    return SelfCheck("unverified", detail=detail)


def plain_scores(line: ScoringLine, rows_of: PlainPass) -> PlainScores:
    """What `line` would serve if every input had a plain forward pass to itself."""

    async def scores(task: ScoreTask) -> list[float]:
        rendered = (await asyncio.to_thread(line.preparation.prepare, task)).inputs[-1]
        rows = await rows_of(ForwardItem(rendered, head=line.head))
        return [reading.score for reading in read(line.profile, rows, len(rendered.readout_positions))]

    return scores


async def _against_plain(line: ModelScorer, plain: PlainScores) -> list[Comparison]:
    served = await served_scores(line, PROBES)
    expected: dict[str, list[float]] = {}
    for name in served:
        try:
            expected[name] = await plain(PROBES[name])
        except ItemError as cause:
            raise _refused(name, cause) from cause
    return _compared(served, expected)


async def _against_golden(line: ModelScorer) -> list[Comparison]:
    tasks = {
        f"golden[{place}]": ScoreTask(golden.problem, steps=golden.steps)
        for place, golden in enumerate(line.profile.golden)
    }
    expected = {name: golden.scores for name, golden in zip(tasks, line.profile.golden, strict=True)}
    return _compared(await served_scores(line, tasks), expected)


async def served_scores(line: ModelScorer, tasks: Mapping[str, ScoreTask]) -> dict[str, list[float]]:
    """Scores of named tasks, sent as one group: one per step, of an outcome model one. Those too long for it are
    left out.

    Raises `SelfCheckFailed` where one cannot be scored.
    """
    group = await _scored(line, list(tasks.values()))
    found: dict[str, list[float]] = {}
    for name, result in zip(tasks, group.results, strict=True):
        if isinstance(result, SolutionScore):
            found[name] = [step.score for step in result.steps] if result.kind == "process" else [result.score]
        elif not isinstance(result, _BEYOND_LIMITS):
            raise _refused(name, result) from result
    return found


async def _scored(line: ModelScorer, tasks: Sequence[ScoreTask]) -> GroupScore:
    """A neighbour on the same engine may be serving already, and have filled the queue that they share."""
    while True:
        try:
            return await line.score_group(tasks, _OPTIONS)
        except QueueFull as full:
            log.info("model %s: self-check: waiting for a place in the queue", line.name)
            await asyncio.sleep(full.retry_after_s)
        except RequestError as cause:
            raise SelfCheckFailed(f"the probes cannot be scored: {cause.code}: {cause.message}") from cause


def _refused(name: str, cause: Exception) -> SelfCheckFailed:
    # An unforeseen error's message may hold anything; its traceback is in the log.
    said = f"{cause.code}: {cause.message}" if isinstance(cause, ItemError) else type(cause).__name__
    return SelfCheckFailed(f"probe {name!r} cannot be scored: {said}")


def _compared(served: Mapping[str, Sequence[float]], expected: Mapping[str, Sequence[float]]) -> list[Comparison]:
    return [
        Comparison(name, step, *pair)
        for name, scores in served.items()
        for step, pair in enumerate(zip(scores, expected[name], strict=True))
    ]


def _judged(
    line: ModelScorer, against: Against, comparisons: Sequence[Comparison], tolerance: float
) -> SelfCheck | None:
    """`None` without anything compared. Raises `SelfCheckFailed` for a difference beyond the tolerance."""
    if not comparisons:
        return None
    worst = max(comparisons, key=lambda comparison: comparison.difference)
    if worst.difference > tolerance:
        num_beyond = sum(comparison.difference > tolerance for comparison in comparisons)
        raise SelfCheckFailed(
            f"probe {worst.probe!r}, step {worst.step}: served {worst.served:.7g}, {_EXPECTED[against]} "
            f"{worst.expected:.7g}: {worst.difference:.2g} apart, tolerance {tolerance:g} "
            f"({num_beyond} of {len(comparisons)} scores differ); {_ADVICE[against]}",
            param="profile" if against == "golden" else None,
        )
    log.info(
        "model %s: self-check passed: %d scores, at most %.2g from %s (tolerance %g)",
        line.name,
        len(comparisons),
        worst.difference,
        against.replace("_", " "),
        tolerance,
    )
    return SelfCheck("passed", against, worst.difference, len(comparisons))

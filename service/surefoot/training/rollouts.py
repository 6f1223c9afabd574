"""Step labels from rollouts: how often a solution that goes on from a step still reaches the right answer.

Math-Shepherd (arXiv 2312.08935): K completions of each prefix; the hard label of its last step is whether any of them
is right, the soft one the fraction that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from surefoot.answers import EquivalenceJudge, extract_answer
from surefoot.domain import Message, SamplingOptions
from surefoot.ports import Sampler
from surefoot.training.labelled_row import LabelledRow, labels_to
from surefoot.training.model_solutions import is_right_answer


@dataclass(frozen=True, slots=True)
class RolloutLabels:
    """Per step the fraction of its completions that reach the right answer; `None` after the hard first error, unless
    all were asked for."""

    fractions: tuple[float | None, ...]

    @property
    def first_error(self) -> int | None:
        """The first step from which no completion reaches the right answer."""
        return next((index for index, fraction in enumerate(self.fractions) if fraction == 0), None)


async def rollout_labels(
    row: LabelledRow, sampler: Sampler, judge: EquivalenceJudge, options: SamplingOptions, *, every_step: bool = False
) -> RolloutLabels:
    """Complete each prefix of the row's steps `options.n` times; its `answer` must be known.

    The steps are the beginning of the sampler's own answer to the problem, one a line, as it writes answers itself.
    The last step is not completed: the answer of the whole solution says whether it is right. Stops at the first step
    that no completion saves, as supervision does, unless soft labels of `every_step` are wanted. Raises
    `SamplerUnavailable`, `InvalidRequest` where the sampler cannot go on from a beginning, and `ValueError` for a row
    without an answer.
    """
    if row.answer is None:
        raise ValueError("answer must be known for labels from rollouts")
    fractions: list[float | None] = []
    for end in range(1, len(row.steps) + 1):
        if end == len(row.steps):
            texts = ["\n".join(row.steps)]
        else:
            texts = await _completions(row.problem, row.steps[:end], sampler, options)
        right = sum(is_right_answer(extract_answer(text), row.answer, judge) for text in texts)
        fractions.append(right / len(texts))
        if right == 0 and not every_step:
            break
    return RolloutLabels((*fractions, *(None,) * (len(row.steps) - len(fractions))))


def with_hard_labels(row: LabelledRow, labels: RolloutLabels) -> LabelledRow:
    """The row with steps right as long as any completion is, and the fractions kept as `soft_labels`."""
    hard = labels_to(labels.first_error, len(row.steps))
    return replace(row, labels=hard, soft_labels=labels.fractions)


async def _completions(problem: str, steps: Sequence[str], sampler: Sampler, options: SamplingOptions) -> list[str]:
    prompt = await sampler.encode_prompt([Message("user", problem)], beginning="".join(f"{step}\n" for step in steps))
    return [candidate.text async for candidate in sampler.sample(prompt, options)]

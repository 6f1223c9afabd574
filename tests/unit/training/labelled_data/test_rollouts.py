"""Labels from rollouts: any completion that is right saves a step; the share of them is its soft label."""

import pytest

from surefoot.domain import SamplingOptions
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.rollouts import rollout_labels, with_hard_labels
from surefoot.wiring.fake_service import KeysOnly

ROW = LabelledRow("What is 2 + 3 + 4?", ("2 + 3 = 5", "5 + 4 = 8", "The answer is 8."), (None,) * 3, answer="9")
HALF = ["The answer is 9.", "The answer is 8."]


class BySteps(FakeSampler):
    """Completions by how many steps stand in the beginning."""

    def __init__(self, *texts: list[str]) -> None:
        super().__init__(texts[0])
        self._by_steps = texts

    def texts_for(self, prompt):
        return self._by_steps[sum(step in prompt.beginning for step in ROW.steps) - 1]


async def labels(sampler, row=ROW, **options):
    return await rollout_labels(row, sampler, KeysOnly(), SamplingOptions(n=4, max_tokens=64), **options)


async def test_a_soft_label_is_the_share_of_right_completions() -> None:
    assert (await labels(BySteps(HALF, ["The answer is 8."]))).fractions == (0.5, 0.0, None)


async def test_the_first_step_that_nothing_saves_is_the_hard_first_error() -> None:
    found = with_hard_labels(ROW, await labels(BySteps(HALF, ["The answer is 8."])))
    assert (found.labels, found.first_error, found.soft_labels) == ((1, -1, None), 1, (0.5, 0.0, None))


async def test_it_stops_at_the_first_error() -> None:
    sampler = BySteps(["The answer is 8."], HALF)
    await labels(sampler)
    assert len(sampler.prompts) == 1


async def test_soft_labels_of_every_step_go_on() -> None:
    assert (await labels(BySteps(["I give up"], HALF), every_step=True)).fractions == (0.0, 0.5, 0.0)


async def test_the_last_step_is_judged_by_the_answer_of_the_solution() -> None:
    row = LabelledRow(ROW.problem, ("2 + 3 = 5", "5 + 4 = 9", "The answer is 9."), (None,) * 3, answer="9")
    sampler = FakeSampler(HALF)
    assert (await labels(sampler, row)).fractions == (0.5, 0.5, 1.0)
    assert len(sampler.prompts) == 2


async def test_steps_are_the_beginning_of_the_answer_to_the_bare_problem() -> None:
    sampler = FakeSampler(HALF)
    await labels(sampler)
    asked = ["".join(map(chr, prompt)) for prompt in sampler.prompts]
    assert asked == [f"{ROW.problem}2 + 3 = 5\n", f"{ROW.problem}2 + 3 = 5\n5 + 4 = 8\n"]


async def test_a_row_without_an_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="answer"):
        await labels(FakeSampler(HALF), LabelledRow("q", ("a",), (None,)))

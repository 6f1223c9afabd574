"""Candidates for labelling, over a real line: whose answer is wrong, and what a bad candidate may not spoil."""

import pytest

from surefoot.candidate_scores import CandidateInput, RankTask
from surefoot.domain import ScoreOptions
from surefoot.errors import EmptyProblem
from surefoot.labelling import LabelTask, choose_for_labelling
from surefoot.wiring.fake_service import FakeParts, KeysOnly, build_fake_service


@pytest.fixture
async def choose():
    fake = build_fake_service(FakeParts())
    await fake.service.start()

    async def run(*texts, answer="5", problem="2 + 3?", top_k=10, wrong_fraction=1.0, judge=None):
        task = LabelTask(RankTask(problem, tuple(CandidateInput(text=text) for text in texts)), answer)
        line = fake.service.registry.get("prm").line
        labelling = await choose_for_labelling(
            [task], line, ScoreOptions(), judge or KeysOnly(), top_k=top_k, wrong_fraction=wrong_fraction
        )
        return labelling.groups[0]

    yield run
    await fake.service.close()


async def test_equal_numbers_are_right_however_they_are_written(choose) -> None:
    group = await choose(
        "The answer is 1/2.", r"\boxed{\frac12}", "The answer is 0.5.", "The answer is 3.", answer="0.5"
    )
    assert group.is_correct == (True, True, True, False)


async def test_the_judge_decides_on_other_answers(choose) -> None:
    class Agreeable(KeysOnly):
        def equivalent(self, first: str, second: str) -> bool:
            return True

    assert (await choose(r"\boxed{x}", answer="y", judge=Agreeable())).is_correct == (True,)


async def test_a_right_answer_is_found_among_very_many_wrong_ones(choose) -> None:
    class Letters(KeysOnly):
        def equivalent(self, first: str, second: str) -> bool:
            return {first, second} == {"right", "rite"}

    wrong = [rf"\boxed{{word{'x' * count}}}" for count in range(40)]
    group = await choose(*wrong, r"\boxed{rite}", answer="right", judge=Letters())
    assert group.is_correct[-1] is True


async def test_no_answer_is_neither_right_nor_wrong(choose) -> None:
    assert (await choose("I do not know.")).is_correct == (None,)


async def test_the_highest_scored_wrong_answer_is_chosen(choose) -> None:
    texts = [f"So {number}.\nThe answer is {number}." for number in (6, 7, 8, 5)]
    group = await choose(*texts, top_k=1)
    best = max(range(3), key=lambda index: group.scores[index].score)
    assert [choice.index for choice in group.choices] == [best]


async def test_a_failed_candidate_is_never_chosen(choose) -> None:
    group = await choose("", "The answer is 6.")
    assert ([choice.index for choice in group.choices], group.errors[0].code) == ([1], "no_steps")


async def test_an_empty_problem_is_an_error_of_its_own(choose) -> None:
    assert isinstance(await choose("a", problem=" "), EmptyProblem)

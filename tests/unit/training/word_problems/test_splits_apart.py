"""Who has learned from one split has seen nothing of another, by the same rules that keep test problems out."""

from itertools import permutations
from typing import get_args

import pytest

from surefoot.training.overlap import ProblemIndex
from surefoot.training.word_problems.drawing import word_problems
from surefoot.training.word_problems.splits import TEMPLATES
from surefoot.training.word_problems.template import Split


@pytest.mark.parametrize(("kept", "held_out"), [*permutations(get_args(Split), 2)])
def test_no_problem_is_a_near_copy_of_one_of_another_split(samples, kept, held_out) -> None:
    index = ProblemIndex(problem.question for problem in samples[held_out])
    assert [each.question for each in samples[kept] if index.overlap(each.question) is not None] == []


def test_problems_of_one_template_are_near_copies_by_the_same_rules(samples) -> None:
    """The rules do see templates: the promise above is not kept by rules that see nothing."""
    questions = [problem.question for problem in samples["train"]]
    assert any(ProblemIndex(questions[:150]).overlap(question) == "near" for question in questions[150:])


def test_the_smallest_split_gives_twenty_thousand_different_problems() -> None:
    smallest = min(TEMPLATES.values(), key=len)
    assert len({problem.question for problem in word_problems(smallest, 20_000, seed=1)}) == 20_000

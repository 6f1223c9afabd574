"""What is written in the templates: enough of them, sound by themselves, and good material for errors."""

import random
import re
from collections import Counter
from dataclasses import asdict
from typing import get_args

import pytest

from surefoot.checks.arithmetic import check_arithmetic
from surefoot.training.corruption import corruptions
from surefoot.training.word_problems.drawing import problem_of_course
from surefoot.training.word_problems.people import PRONOUNS, SHARED_CHOICES
from surefoot.training.word_problems.splits import TEMPLATES
from surefoot.training.word_problems.template import BEFORE, Split, Template, alternatives
from surefoot.training.worked_solution import without_annotations, worked_solution

EVERY = [template for templates in TEMPLATES.values() for template in templates]
SLOT = re.compile(r"\{([^{}]+)\}")
every_template = pytest.mark.parametrize("template", EVERY, ids=lambda template: template.name)


def problems_of(template: Template, each: int):
    rng = random.Random(11)
    return [problem_of_course(template, course, rng) for course in template.courses() for _ in range(each)]


def fresh_names(works: str) -> set[str]:
    return set(re.findall(r"([a-z]+):", works))


def test_every_split_has_templates() -> None:
    assert set(TEMPLATES) == set(get_args(Split))


@pytest.mark.parametrize(("split", "fewest"), [("train", 30), ("validation", 6), ("test", 12)])
def test_a_split_has_so_many_templates_at_least(split, fewest) -> None:
    assert len(TEMPLATES[split]) >= fewest


def test_no_template_has_the_name_of_another() -> None:
    assert max(Counter(template.name for template in EVERY).values()) == 1


@pytest.mark.parametrize("split", get_args(Split))
def test_a_split_mixes_the_operations(split) -> None:
    signs = Counter(event.calculation[1] for each in TEMPLATES[split] for stage in each.stages for event in stage)
    assert set(signs) == {"+", "-", "*", "/"}
    assert min(signs.values()) >= len(TEMPLATES[split]) / 4


@every_template
def test_every_number_that_is_told_is_used_and_every_one_used_is_told(template) -> None:
    words = {"p", "q", "he", "his", "him", *SHARED_CHOICES, *template.choices}
    for opening in alternatives(template.opening):
        for number, stage in enumerate(template.stages):
            for event in stage:
                for tells in alternatives(event.tells):
                    told = set(SLOT.findall(tells)) | (set(SLOT.findall(opening)) if number == 0 else set())
                    assert told - words == fresh_names(event.works), event


@every_template
def test_a_later_event_goes_on_from_the_one_before(template) -> None:
    for stage in template.stages[1:]:
        for event in stage:
            assert BEFORE in {term.name for term in event.calculation[::2]}, event


@every_template
def test_every_sentence_of_a_solution_shows_its_calculation_once(template) -> None:
    for event in (event for stage in template.stages for event in stage):
        for says in alternatives(event.says):
            assert sum(slot in ("=", "=$") for slot in SLOT.findall(says)) == 1, says


@every_template
def test_every_sentence_ends_as_one(template) -> None:
    for event in (event for stage in template.stages for event in stage):
        assert all(text.endswith("?") for text in alternatives(event.asks)), event
        assert all(text.endswith(".") for text in alternatives(event.says)), event


@every_template
def test_every_course_of_events_finds_numbers(template) -> None:
    assert {problem.num_steps for problem in problems_of(template, 20)} == set(range(1, len(template.stages) + 1))


@every_template
def test_the_true_solution_is_read_and_its_answer_is_the_last_result(template) -> None:
    for problem in problems_of(template, 5):
        solution = worked_solution(asdict(problem))
        assert len(solution.steps) == problem.num_steps
        assert solution.steps[-1].calculations[-1].value == solution.answer


@every_template
def test_the_operands_stand_where_errors_can_be_put(template) -> None:
    for problem in problems_of(template, 5):
        steps = worked_solution(asdict(problem)).steps
        assert all(calculation.shown is not None for step in steps for calculation in step.calculations)


@every_template
def test_every_equation_of_a_true_solution_passes_the_check(template) -> None:
    for problem in problems_of(template, 5):
        for line in without_annotations(problem.answer).splitlines()[:-1]:
            assert check_arithmetic(line).verdict == "pass", line


@every_template
def test_errors_of_several_families_can_be_made(template) -> None:
    rng = random.Random(5)
    solutions = [worked_solution(asdict(problem)) for problem in problems_of(template, 12)]
    families = {found.family for solution in solutions for found in corruptions(solution, 2, rng)}
    # A bare sum has no other number to take, and no step to drop.
    assert len(families) >= (3 if template in TEMPLATES["sums"] else 5), families


def test_pronouns_fill_the_slots_that_texts_use() -> None:
    assert all(set(forms) == {"he", "his", "him"} for forms in PRONOUNS.values())

"""Items: as many right as wrong, each what it says, and none apart from others of its problem."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import ExamplesInvalid
from surefoot.experiments.weak_to_strong.items import Item, digest_of, judged_row
from surefoot.experiments.weak_to_strong.sentences import sentences_of
from surefoot.experiments.weak_to_strong.split import PartSizes, split
from surefoot.experiments.weak_to_strong.tasks import TASKS, TaskName, items_of
from surefoot.training.word_problems.drawing import word_problems
from surefoot.training.word_problems.splits import TEMPLATES

ROWS = [{"question": each.question, "answer": each.answer} for each in word_problems(TEMPLATES["train"], 120, 3)]
MADE = [name for name in TASKS if name != "text"]


@pytest.mark.parametrize("name", MADE)
def test_every_task_has_as_many_right_items_as_wrong_ones(name: TaskName) -> None:
    items = items_of(name, ROWS, 0)
    assert len(items) >= 40
    assert Counter(item.label for item in items)[True] * 2 == len(items)
    assert len({item.id for item in items}) == len(items)
    assert digest_of(items) == digest_of(items_of(name, ROWS, 0)) != digest_of(items_of(name, ROWS, 1))


def test_a_wrong_step_is_the_last_of_a_right_beginning() -> None:
    by_number = {item.id: item for item in items_of("steps", ROWS, 0)}
    pairs = [
        (item, by_number[f"{number}/right"])
        for name, item in by_number.items()
        if name.endswith("/wrong") and f"{(number := name.partition('/')[0])}/right" in by_number
    ]
    assert pairs
    for wrong, right in pairs:
        assert (wrong.rows[0].labels[-1], right.rows[0].labels[-1]) == (-1, 1)
        assert set(wrong.rows[0].labels[:-1]) <= {None}
        assert wrong.group == right.group


def test_the_better_solution_is_the_one_that_the_label_says() -> None:
    items = items_of("preference", ROWS, 0)
    assert all([row.is_correct for row in item.rows] == [item.label, not item.label] for item in items)


def test_words_change_places_with_a_neighbour_within_the_sentence() -> None:
    sentences = {tuple(part.split()) for row in ROWS for part in sentences_of(row["question"])}
    for item in items_of("word-order", ROWS, 0):
        words = tuple(item.rows[0].steps[0].split())
        swaps = [
            (*words[:place], words[place + 1], words[place], *words[place + 2 :]) for place in range(len(words) - 1)
        ]
        assert (words in sentences) is item.label
        assert item.label or any(swapped in sentences for swapped in swaps)
        assert any(words[0] == each[0] and words[-1] == each[-1] for each in sentences)


def test_a_story_and_a_question_stand_in_one_item_each() -> None:
    items = items_of("question-fit", ROWS, 0)
    texts = {row["question"] for row in ROWS}
    assert all((item.rows[0].steps[0] in texts) is item.label for item in items)


@pytest.mark.parametrize(
    ("row", "field"),
    [({"label": 1}, "text"), ({"text": " ", "label": 1}, "text"), ({"text": "a", "label": 2}, "label")],
)
def test_a_bad_text_row_is_named(row: dict, field: str) -> None:
    with pytest.raises(ValueError, match=f"row 2: {field}"):
        items_of("text", [{"text": "fine", "label": 0}, row], 0)


def test_texts_of_one_sort_only_are_no_task() -> None:
    with pytest.raises(ValueError, match="no item that is right and one that is wrong"):
        items_of("text", [{"text": "fine", "label": 1}], 0)


def items_in_groups(sizes: list[int]) -> list[Item]:
    return [
        Item(f"{group}.{place}", f"{group}", (judged_row("p", ["s"], True),), True)
        for group, size in enumerate(sizes)
        for place in range(size)
    ]


@settings(deadline=None)
@given(st.lists(st.integers(1, 3), min_size=40, max_size=60), st.integers(0, 5))
def test_no_problem_is_in_two_parts_and_the_test_is_the_same_for_every_seed(sizes: list[int], seed: int) -> None:
    items = items_in_groups(sizes)
    wanted = PartSizes(train=8, validation=4, test=6)
    parts = split(items, wanted, seed)
    groups = [{item.group for item in part} for part in parts.values()]
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert {name: len(part) for name, part in parts.items()} == {
        "supervisor": 8,
        "student": 8,
        "validation": 4,
        "test": 6,
    }
    others = split(items, wanted, seed + 1)
    assert parts["test"] == others["test"]
    drawn = {item.id for each in (parts, others) for part in each.values() for item in part}
    assert len(drawn) <= 8 + 8 + 4 + 6 + 4 * max(sizes), "seeds share their items"


def test_too_few_items_are_told() -> None:
    with pytest.raises(ExamplesInvalid, match=r"too few \(student 2 of 8\)"):
        split(items_in_groups([1] * 20), PartSizes(8, 4, 6), 0)

"""The tasks: which judgements are made of problems with worked solutions, or read from a file."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from surefoot.domain import Kind
from surefoot.experiments.weak_to_strong.items import Item, judged_row
from surefoot.experiments.weak_to_strong.sentences import question_fit_items, word_order_items
from surefoot.training.dataset import DataOptions, rows_of_problem
from surefoot.training.labelled_row import LabelledRow
from surefoot.training.worked_solution import UnsupportedSolution, WorkedSolution, worked_solution

TaskName = Literal["steps", "outcome", "preference", "word-order", "question-fit", "text"]

TEXT_QUESTION = "Is it so?"
"""What is asked of a text of a file whose row asks nothing."""


@dataclass(frozen=True, slots=True)
class Task:
    """How a task's items are read by a model: the kind of its profile, and what is judged in words."""

    kind: Kind
    title: str
    make: Callable[[Sequence[Mapping[str, Any]], int], Iterator[Item]]


def items_of(name: TaskName, rows: Sequence[Mapping[str, Any]], seed: int) -> list[Item]:
    """The items of a task, as many right as wrong ones, in an order drawn from the seed.

    `rows` are GSM8K's `{"question", "answer"}`, for `text` `{"text", "label"}`. Raises `ValueError`, which names the
    row and the field and holds nothing of what is in it.
    """
    rng = random.Random(f"{seed}/{name}")  # noqa: S311  no secret
    found: dict[bool, list[Item]] = {True: [], False: []}
    for item in TASKS[name].make(rows, seed):
        found[item.label].append(item)
    size = min(map(len, found.values()))
    if not size:
        raise ValueError(f"{name}: the rows give no item that is right and one that is wrong")
    for same in found.values():
        rng.shuffle(same)
    chosen = [*found[True][:size], *found[False][:size]]
    rng.shuffle(chosen)
    return chosen


def group_of(problem: str) -> str:
    """The same for problems that differ in nothing but case and white space."""
    return " ".join(problem.lower().split())


def _step_items(rows: Sequence[Mapping[str, Any]], seed: int) -> Iterator[Item]:
    """The first wrong step of a corrupted solution, and one step of the true solution of the same problem."""
    for number, right, wrong in _solutions(rows, seed):
        group = group_of(right.problem)
        # As far into the solution as the error is: else the number of steps would tell.
        end = min(wrong.first_error or 0, len(right.steps) - 1) + 1
        for row, steps in ((right, right.steps[:end]), (wrong, wrong.steps[: (wrong.first_error or 0) + 1])):
            label = row is right
            yield Item(
                f"{number}/{'right' if label else 'wrong'}", group, (judged_row(row.problem, steps, label),), label
            )


def _outcome_items(rows: Sequence[Mapping[str, Any]], seed: int) -> Iterator[Item]:
    for number, right, wrong in _solutions(rows, seed):
        for row, label in ((right, True), (wrong, False)):
            judged = judged_row(row.problem, row.steps, label)
            yield Item(f"{number}/{'right' if label else 'wrong'}", group_of(row.problem), (judged,), label)


def _preference_items(rows: Sequence[Mapping[str, Any]], seed: int) -> Iterator[Item]:
    """Two solutions of one problem, in an order drawn for it."""
    for number, right, wrong in _solutions(rows, seed):
        label = random.Random(f"{seed}/{number}/which").random() < 0.5  # noqa: S311  no secret
        pair = (judged_row(right.problem, right.steps, True), judged_row(wrong.problem, wrong.steps, False))
        yield Item(str(number), group_of(right.problem), pair if label else pair[::-1], label)


def _text_items(rows: Sequence[Mapping[str, Any]], _seed: int) -> Iterator[Item]:
    for number, row in enumerate(rows, start=1):
        text, label = row.get("text"), row.get("label")
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"row {number}: text must be a text that is not empty")
        if label not in (0, 1):
            raise ValueError(f"row {number}: label must be true or false, or 1 or 0")
        asked = row.get("question", TEXT_QUESTION)
        if not isinstance(asked, str) or not asked.strip():
            raise ValueError(f"row {number}: question must be a text that is not empty")
        group = row.get("group")
        group = group if isinstance(group, str) and group else group_of(text)
        yield Item(f"{number}", group, (judged_row(asked, [text], bool(label)),), bool(label))


def _problems(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    texts = [row.get("question") for row in rows]
    return [(group_of(text), text) for text in dict.fromkeys(text for text in texts if isinstance(text, str))]


def _solutions(rows: Sequence[Mapping[str, Any]], seed: int) -> Iterator[tuple[int, LabelledRow, LabelledRow]]:
    """The number of each row with its true solution and a corrupted one, both written in the same style."""
    options = DataOptions(seed=seed, per_problem=1, wording="calculations")
    for number, row in enumerate(rows, start=1):
        solution = _worked(row, number)
        if solution is None:
            continue
        made = list(rows_of_problem(solution, f"{number}", "", options))
        right = [each for each in made if each.is_correct]
        wrong = [each for each in made if not each.is_correct]
        if right and wrong:
            yield number, right[0], wrong[0]


def _worked(row: Mapping[str, Any], number: int) -> WorkedSolution | None:
    try:
        return worked_solution(row)
    except UnsupportedSolution:
        return None
    except ValueError as cause:
        raise ValueError(f"row {number}: {cause}") from cause


TASKS: Mapping[TaskName, Task] = MappingProxyType(
    {
        "steps": Task("process", "step correctness", _step_items),
        "outcome": Task("outcome", "whether a solution is right", _outcome_items),
        "preference": Task("outcome", "which of two solutions is right", _preference_items),
        "word-order": Task(
            "process", "word order of a sentence", lambda rows, seed: word_order_items(_problems(rows), seed)
        ),
        "question-fit": Task(
            "process", "whether a question fits its story", lambda rows, seed: question_fit_items(_problems(rows), seed)
        ),
        "text": Task("process", "texts of a file", _text_items),
    }
)
"""What can be judged; `text` reads a file of its own."""

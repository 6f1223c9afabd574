"""Problems to labelled rows: true and corrupted solutions, without duplicates, apart from what is tested on.

Everything is drawn from the seed and the problem's text, so that neither the order of the rows nor the other problems
change what becomes of one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from surefoot.evaluation.labelled_steps import FIRST_STEP
from surefoot.training.corruption import corruptions
from surefoot.training.labelled_row import LabelledRow, labels_to
from surefoot.training.overlap import ProblemIndex, masked_words
from surefoot.training.phrasing import Wording, drawn_style, phrased, plain_number
from surefoot.training.worked_solution import WorkedSolution

TRUE = "true"
"""What stands in a row's `family` where nothing was corrupted."""

_PHRASINGS = 4
"""Tries to phrase a true solution in yet another way."""


@dataclass(frozen=True, slots=True)
class DataOptions:
    """How rows are made.

    `per_problem` corrupted solutions are wanted of each problem, and as many phrasings of the true one; `validation` is
    the share of the problems that is kept apart; `conclusion` fixes the wording of the last step; `rows` is the most
    that are to be trained on, drawn of all; `wording` says how solutions are written, and
    `max_steps` leaves out those of more steps, the conclusion counted.
    """

    seed: int = 0
    per_problem: int = 1
    validation: float = 0.05
    conclusion: str | None = None
    rows: int | None = None
    wording: Wording = "varied"
    max_steps: int | None = None


@dataclass(frozen=True, slots=True)
class LabelledData:
    """Rows to train on and to validate on, no problem in both; `dropped` counts the rows left out, by reason."""

    train: tuple[LabelledRow, ...]
    validation: tuple[LabelledRow, ...]
    dropped: Counter[str]


def problem_of(row: Mapping[str, Any]) -> str:
    """The problem of a row of any format: `problem`, `question`, `prompt`, or in Math-Shepherd's the `input` up to its
    first step. Raises `ValueError`, which names the fields."""
    question = row.get("question")
    given = question.get("problem") if isinstance(question, Mapping) else question
    tagged = row.get("input")
    before_steps = tagged.partition(f" {FIRST_STEP}")[0] if isinstance(tagged, str) else None
    for text in (row.get("problem"), given, row.get("prompt"), before_steps):
        if isinstance(text, str) and text.strip():
            return text
    raise ValueError("give the problem in problem, question, prompt or input")


def rows_of_problem(
    solution: WorkedSolution, id_prefix: str, source: str, options: DataOptions
) -> Iterator[LabelledRow]:
    """The true solution and corrupted ones, each phrased in a way of its own; as many of one sort as of the other where
    that many corruptions are found, at least one true one."""
    rng = random.Random(f"{options.seed}\n{solution.problem}")  # noqa: S311  no secret
    answer = plain_number(solution.answer)
    found = list(corruptions(solution, options.per_problem, rng))
    seen: set[tuple[str, ...]] = set()
    for _ in range(_PHRASINGS * max(1, len(found))):
        if len(seen) < max(1, len(found)):
            seen_before = len(seen)
            steps = phrased(solution, drawn_style(rng, options.conclusion, options.wording), rng)
            seen.add(steps)
            if len(seen) > seen_before:
                labels = labels_to(None, len(steps))
                row_id = f"{id_prefix}:{TRUE}:{seen_before}"
                yield LabelledRow(solution.problem, steps, labels, answer, True, source, TRUE, row_id)
    for number, corruption in enumerate(found):
        steps = phrased(corruption.solution, drawn_style(rng, options.conclusion, options.wording), rng)
        labels = labels_to(corruption.first_error, len(steps))
        row_id = f"{id_prefix}:{corruption.family}:{number}"
        yield LabelledRow(solution.problem, steps, labels, answer, False, source, corruption.family, row_id)


def assembled(rows: Iterable[LabelledRow], excluded: ProblemIndex, options: DataOptions) -> LabelledData:
    """The rows without duplicates and without those of excluded problems or near copies of them, in two parts.

    A problem that is a near copy of one to validate on is validated on too.
    """
    dropped: Counter[str] = Counter()
    overlaps: dict[str, str | None] = {}
    seen: set[str] = set()
    kept: list[LabelledRow] = []
    for row in rows:
        if row.problem not in overlaps:
            overlaps[row.problem] = excluded.overlap(row.problem)
        overlap, key = overlaps[row.problem], text_key(row)
        if overlap is not None:
            dropped[f"excluded_{overlap}"] += 1
        elif key in seen:
            dropped["duplicate"] += 1
        elif options.max_steps is not None and len(row.steps) > options.max_steps:
            dropped["more_steps"] += 1
        else:
            seen.add(key)
            kept.append(row)
    dropped["excluded_problems"] = sum(overlap is not None for overlap in overlaps.values())
    held_out = _held_out({row.problem for row in kept}, options)
    train = _drawn([row for row in kept if row.problem not in held_out], options, dropped)
    return LabelledData(train, tuple(row for row in kept if row.problem in held_out), dropped)


def _drawn(rows: Sequence[LabelledRow], options: DataOptions, dropped: Counter[str]) -> tuple[LabelledRow, ...]:
    """As many rows as are wanted, in their order; more are the same ones and others."""
    if options.rows is None or options.rows >= len(rows):
        return tuple(rows)
    dropped["not_drawn"] = len(rows) - options.rows
    chances = {place: _digest(f"{options.seed}:{text_key(row)}") for place, row in enumerate(rows)}
    return tuple(rows[place] for place in sorted(sorted(chances, key=chances.__getitem__)[: options.rows]))


def text_key(row: LabelledRow) -> str:
    """Equal for rows that differ in nothing but white space and case."""
    return " ".join("\n".join((row.problem, *row.steps)).lower().split())


def _held_out(problems: Iterable[str], options: DataOptions) -> frozenset[str]:
    """The problems to validate on: a share of all, the same wherever they stand, and whatever is a near copy of one."""
    ordered = sorted(problems)
    chosen = {problem for problem in ordered if _chance(problem, options.seed) < options.validation}
    fresh: Sequence[str] = sorted(chosen)
    while fresh:
        index = ProblemIndex(fresh)
        fresh = [problem for problem in ordered if problem not in chosen and index.overlap(problem) is not None]
        chosen.update(fresh)
    return frozenset(chosen)


def _chance(problem: str, seed: int) -> float:
    """In [0, 1), the same for problems that differ in their numbers alone."""
    return _digest(f"{seed}:{' '.join(masked_words(problem))}") / 2**64


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")

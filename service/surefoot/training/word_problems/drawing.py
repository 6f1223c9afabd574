"""Problems drawn from templates, written as GSM8K writes them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import get_args

from surefoot.errors import ExamplesInvalid
from surefoot.training.word_problems.people import NAMES, PRONOUNS, SHARED_CHOICES, Pronoun
from surefoot.training.word_problems.template import BEFORE, Event, Template, Term, alternatives

MAX_VALUE = 150
"""No number of a problem is larger: a small model works with these without a mistake of its own."""

MAX_FACTOR = 12
"""Multiplication tables end here: one factor of each product, and each divisor, is at most this."""

_MIN_VALUE = 2
"""Texts say "2 apples"; one would need another wording."""

_NUMBER_TRIES = 60
_COURSE_TRIES = 500
_REPEATS = 2_000
"""Problems in a row that were there before, after which no new one is expected."""

_SLOT = re.compile(r"\{([^{}]+)\}")
_SENTENCE_START = re.compile(r"(?:^|(?<=[.?!] ))[a-z]")

_OPERATIONS: Mapping[str, Callable[[int, int], int]] = MappingProxyType(
    {
        "+": lambda left, right: left + right,
        "-": lambda left, right: left - right,
        "*": lambda left, right: left * right,
        "/": lambda left, right: left // right if left % right == 0 else 0,
    }
)


@dataclass(frozen=True, slots=True)
class WordProblem:
    """A problem with its worked solution, as a row of GSM8K has them; `template` names where it comes from."""

    question: str
    answer: str
    template: str
    num_steps: int


@dataclass(frozen=True, slots=True)
class _Worked:
    """A calculation with its numbers."""

    left: int
    sign: str
    right: int
    result: int


def word_problems(templates: Sequence[Template], count: int, seed: int) -> Iterator[WordProblem]:
    """`count` problems, no two with the same question. More of one seed begin with the fewer.

    Raises `ExamplesInvalid`, which names the largest count, where the templates give no more.
    """
    rng = random.Random(f"word problems\n{seed}")  # noqa: S311  no secret
    seen: set[str] = set()
    repeats = 0
    while len(seen) < count:
        problem = word_problem(rng.choice(templates), rng)
        repeats = repeats + 1 if problem.question in seen else 0
        if repeats > _REPEATS:
            raise ExamplesInvalid(
                f"these templates give {len(seen)} different problems with this seed; ask for {len(seen)} at most",
                param="--count",
            )
        if not repeats:
            seen.add(problem.question)
            yield problem


def word_problem(template: Template, rng: random.Random) -> WordProblem:
    """One problem; as many steps are as likely as as few. Raises `ValueError` where no numbers fit the template."""
    num_steps = rng.randint(1, len(template.stages))
    return problem_of_course(template, tuple(rng.choice(stage) for stage in template.stages[:num_steps]), rng)


def problem_of_course(template: Template, course: Sequence[Event], rng: random.Random) -> WordProblem:
    """The problem in which these events happen. Raises `ValueError` where no numbers fit them."""
    numbers, worked = _drawn_numbers(course, rng)
    words = _drawn_words(template, rng) | {name: str(number) for name, number in numbers.items()}
    spacing = rng.choice(("", " "))
    told = [rng.choice(alternatives(text)) for text in (template.opening, *(event.tells for event in course))]
    asked = rng.choice(alternatives(course[-1].asks))
    steps = [
        _filled(rng.choice(alternatives(event.says)), words | _calculation_words(calculation, spacing))
        for event, calculation in zip(course, worked, strict=True)
    ]
    return WordProblem(
        question=_filled(" ".join(filter(None, (*told, asked))), words),
        answer="\n".join((*steps, f"#### {worked[-1].result}")),
        template=template.name,
        num_steps=len(course),
    )


def is_easy(left: int, sign: str, right: int) -> bool:
    """Whether a child works it out in the head: small whole numbers throughout, tables up to `MAX_FACTOR`."""
    result = _OPERATIONS[sign](left, right)
    if sign == "*" and min(left, right) > MAX_FACTOR:
        return False
    if sign == "/" and right > MAX_FACTOR:
        return False
    return _MIN_VALUE <= result <= MAX_VALUE


def _drawn_numbers(course: Sequence[Event], rng: random.Random) -> tuple[dict[str, int], list[_Worked]]:
    """Numbers for all events, all different: the same number twice would leave open which one a step means."""
    for _ in range(_COURSE_TRIES):
        numbers: dict[str, int] = {}
        worked: list[_Worked] = []
        for event in course:
            found = _drawn_event(event, numbers, worked, rng)
            if found is None:
                break
            numbers |= found[0]
            worked.append(found[1])
        else:
            return numbers, worked
    raise ValueError("no numbers fit this course of events")


def _drawn_event(
    event: Event, numbers: Mapping[str, int], worked: Sequence[_Worked], rng: random.Random
) -> tuple[dict[str, int], _Worked] | None:
    left, sign, right = event.calculation
    known = {**numbers, BEFORE: worked[-1].result} if worked else dict(numbers)
    taken = {*numbers.values(), *(each.result for each in worked)}
    for _ in range(_NUMBER_TRIES):
        fresh = {term.name: rng.choice(term.fresh) for term in (left, right) if term.fresh is not None}
        first, second = (_value(term, known | fresh) for term in (left, right))
        new = [*fresh.values(), _OPERATIONS[sign](first, second)]
        if is_easy(first, sign, second) and len({*taken, *new}) == len(taken) + len(new):
            return fresh, _Worked(first, sign, second, new[-1])
    return None


def _value(term: Term, known: Mapping[str, int]) -> int:
    return known[term.name] if term.literal is None else term.literal


def _drawn_words(template: Template, rng: random.Random) -> dict[str, str]:
    pronoun: Pronoun = rng.choice(get_args(Pronoun))
    person = rng.choice(NAMES[pronoun])
    other = rng.choice([name for names in NAMES.values() for name in names if name != person])
    choices = {slot: rng.choice(words.split(", ")) for slot, words in {**SHARED_CHOICES, **template.choices}.items()}
    return {"p": person, "q": other, **PRONOUNS[pronoun], **choices}


def _calculation_words(worked: _Worked, spacing: str) -> dict[str, str]:
    """GSM8K's way: the calculation, and between it and its result the annotation."""
    shown = f"{worked.left}{spacing}{worked.sign}{spacing}{worked.right}{spacing}={spacing}"
    note = f"<<{worked.left}{worked.sign}{worked.right}={worked.result}>>{worked.result}"
    return {"=": f"{shown}{note}", "=$": f"{shown}${note}"}


def _filled(text: str, words: Mapping[str, str]) -> str:
    """The text with its slots filled, each sentence with a capital letter. Raises `KeyError` for an unknown slot."""
    filled = _SLOT.sub(lambda slot: words[slot[1]], text)
    return _SENTENCE_START.sub(lambda letter: letter[0].upper(), filled)

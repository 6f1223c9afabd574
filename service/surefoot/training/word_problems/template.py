"""What a family of word problems is written down as: an opening, and events that go on from what came before.

Texts hold alternatives, separated by `|`, and slots in braces: `{p}` a person, `{q}` another, `{he}`, `{his}`, `{him}`
the first one, a name of `choices`, or a number. A solution's sentence holds `{=}`, the calculation with its
result, or `{=$}`, where the result is money.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Split = Literal["train", "validation", "test", "sums"]
"""What problems are for; a template belongs to exactly one. `sums` are trained on too: calculations without a story."""

BEFORE = "it"
"""The result of the event before, in an expression."""

_TERM = re.compile(r"(?P<literal>[0-9]+)|(?P<name>[a-z]+)(?::(?P<low>[0-9]+)-(?P<high>[0-9]+))?")


@dataclass(frozen=True, slots=True)
class Term:
    """An operand: a number as it is, or one by its name. A `fresh` one is drawn from its range, both ends included."""

    name: str
    fresh: range | None = None
    literal: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One more sentence of the problem, and the step that it makes necessary.

    `tells` is the sentence, empty where the opening has said it; `works` is `left sign right`, where `name:2-9` is a
    number that this event brings, `name` one that was there before and `it` the last result; `says` is the
    step of the solution; `asks` is the question if the problem ends here.
    """

    tells: str
    works: str
    says: str
    asks: str

    @property
    def calculation(self) -> tuple[Term, str, Term]:
        """`works`, read. Raises `ValueError` where it is no calculation of two operands."""
        left, sign, right = self.works.split()
        return _term(left), sign, _term(right)


@dataclass(frozen=True, slots=True)
class Template:
    """A situation and how it goes on: of each stage one event happens, and the problem may end after any of them.

    `choices` are words to draw from, separated by commas, by the slot that they fill.
    """

    name: str
    opening: str
    stages: tuple[tuple[Event, ...], ...]
    choices: Mapping[str, str] = field(default_factory=dict)

    def courses(self) -> Iterator[tuple[Event, ...]]:
        """Every way in which the situation can go, shorter ones first."""
        courses: list[tuple[Event, ...]] = [()]
        for stage in self.stages:
            courses = [(*course, event) for course in courses for event in stage]
            yield from courses


def alternatives(text: str) -> list[str]:
    """The wordings of a text."""
    return text.split("|")


def _term(text: str) -> Term:
    found = _TERM.fullmatch(text)
    if found is None:
        raise ValueError("an operand is a number, a name or name:low-high")
    if found["literal"] is not None:
        return Term(text, literal=int(text))
    return Term(found["name"], None if found["low"] is None else range(int(found["low"]), int(found["high"]) + 1))

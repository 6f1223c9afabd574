"""Surface variation: the same solution written in different ways, so that a style never tells right from wrong.

True and corrupted solutions pass through the same variations, drawn in the same way. Nothing here changes a value.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from surefoot.training.calculator import OPERATOR_SIGNS
from surefoot.training.worked_solution import Number, Part, WorkedSolution, WorkedStep

Spacing = Literal["as_written", "tight", "spaced"]
Wording = Literal["varied", "calculations"]
"""How solutions are written: each in a style of its own, or all alike with nothing before a step's calculation."""

CONCLUSIONS = (
    "The answer is {answer}.",
    "The answer is {answer}.",
    "The final answer is {answer}.",
    "So the answer is {answer}.",
    "Therefore, the answer is {answer}.",
    "Answer: {answer}",
)
"""Wordings of the last step, the usual one twice; `extract_answer` finds the answer in each."""

_CONNECTIVES = ("So ", "So, ", "Then ", "Therefore, ", "Thus, ", "Now ", "Next, ")
# What may be written small behind a connective; a name may not.
_SMALL = re.compile(
    r"(?:The|This|That|These|Those|There|They|Their|He|She|It|Its|His|Her|We|In|On|At|For|If|Each|Over|After|All|A|An)\b"
)
_CAPITALISED = re.compile(r"[A-Z][a-z]+")
_CONNECTED = re.compile(
    r"(?:So|Then|Therefore|Thus|Hence|Now|Next|First|Finally|Since|But|And|This means|That means)\b"
)
_EQUALS = re.compile(r"[ ]*=[ ]*")
_OPERATOR = re.compile(r"(?P<before>[ ]*)(?P<sign>[-+*/x×÷])(?P<after>[ ]*)(?P<money>[$€£]?)")
_CURRENCY = re.compile(r"[$€£](?=$|\s*$)")


@dataclass(frozen=True, slots=True)
class Style:
    """How one solution is written throughout; `connectives` is the share of steps that begin with one, and
    `calculation_first` leaves out what a step says before its first calculation."""

    spacing: Spacing = "as_written"
    times: str | None = None
    currency: bool = True
    thousands: bool = True
    numbering: str | None = None
    connectives: float = 0.0
    full_stops: bool | None = None
    conclusion: str = CONCLUSIONS[0]
    calculation_first: bool = False


CALCULATIONS = Style(spacing="spaced", times="*", thousands=False, full_stops=True, calculation_first=True)
"""The style that is learned from the fewest solutions: it spends no words that a small model could get wrong."""


def drawn_style(rng: random.Random, conclusion: str | None = None, wording: Wording = "varied") -> Style:
    """A style at random, or the one of `wording`; `conclusion` fixes the wording of the last step, with `{answer}`."""
    if wording == "calculations":
        return replace(CALCULATIONS, conclusion=conclusion or CALCULATIONS.conclusion)
    return Style(
        spacing=rng.choice(("as_written", "as_written", "tight", "spaced")),
        times=rng.choice((None, None, "*", "x", "×")),
        currency=rng.random() < 0.8,
        thousands=rng.random() < 0.7,
        numbering=rng.choice((None, None, None, None, "{index}. ", "({index}) ")),
        connectives=rng.choice((0.0, 0.0, 0.2, 0.4)),
        full_stops=rng.choice((None, True, False)),
        conclusion=conclusion or rng.choice(CONCLUSIONS),
        calculation_first=rng.random() < 0.2,
    )


def phrased(solution: WorkedSolution, style: Style, rng: random.Random) -> tuple[str, ...]:
    """The steps as text, with the final answer as one more."""
    names = frozenset(_CAPITALISED.findall(solution.problem))
    texts = [_phrased_step(step, style, names if index else None, rng) for index, step in enumerate(solution.steps)]
    return (*_numbered(texts, style), style.conclusion.format(answer=plain_number(solution.answer)))


def plain_number(value: Fraction) -> str:
    """The number as digits, with as many decimals as it needs, six at most."""
    decimals = next((count for count in range(6) if (value * 10**count).denominator == 1), 6)
    return f"{float(value):.{decimals}f}"


def _numbered(texts: list[str], style: Style) -> list[str]:
    if style.numbering is None:
        return texts
    return [style.numbering.format(index=index) + text for index, text in enumerate(texts, start=1)]


def _phrased_step(step: WorkedStep, style: Style, names: frozenset[str] | None, rng: random.Random) -> str:
    """`names` are words that may stand capital behind a connective; `None` where no connective may stand."""
    start = _first_operand(step) if style.calculation_first else 0
    parts = [_phrased_part(step.parts, place, style) for place in range(start, len(step.parts))]
    text = " ".join("".join(parts).split())
    if style.full_stops is not None and (text[-1:].isalnum() or text[-1:] == "."):
        text = text.rstrip(".") + ("." if style.full_stops else "")
    if names is None or rng.random() >= style.connectives or _CONNECTED.match(text):
        return text
    if _SMALL.match(text):
        return rng.choice(_CONNECTIVES) + text[0].lower() + text[1:]
    first = _CAPITALISED.match(text)
    return rng.choice(_CONNECTIVES) + text if first and first[0] in names else text


def _first_operand(step: WorkedStep) -> int:
    """Where the step's first calculation begins; 0 where it is not written out."""
    shown = step.calculations[0].shown if step.calculations else None
    return shown[0] if shown else 0


def _phrased_part(parts: tuple[Part, ...], place: int, style: Style) -> str:
    part = parts[place]
    if isinstance(part, Number):
        return part.text if style.thousands else part.text.replace(",", "")
    between = 0 < place < len(parts) - 1
    operator = _OPERATOR.fullmatch(part) if between else None
    if operator is not None:
        part = _respelled(operator, style)
    if style.spacing != "as_written":
        part = _EQUALS.sub("=" if style.spacing == "tight" else " = ", part)
    return part if style.currency else _CURRENCY.sub("", part)


def _respelled(operator: re.Match[str], style: Style) -> str:
    sign, before, after = operator["sign"], operator["before"], operator["after"]
    if style.spacing != "as_written":
        before = after = "" if style.spacing == "tight" else " "
    if style.times is not None and OPERATOR_SIGNS[sign] == "*":
        sign = style.times
        # "3x4" reads badly, and a letter beside digits is taken for a name.
        before, after = (" ", " ") if sign == "x" else (before, after)
    return f"{before}{sign}{after}{operator['money']}"

"""Templates of bare sums, in which nothing but the calculation can go wrong."""

from __future__ import annotations

from surefoot.training.word_problems.template import Event, Template

_ASKS = "What is the result?|How much is it?|What does it come to?"


def _sum(name: str, opening: str, works: str) -> Template:
    return Template(name, opening, ((Event("", works, "This is {=}.|It is {=}.", _ASKS),),))


SUMS = (
    _sum("plus", "Add {a} and {b}.|Take {a} plus {b}.|Begin with {a} and add {b}.", "a:2-120 + b:2-120"),
    _sum("minus", "Take {b} from {a}.|Take {a} minus {b}.|Begin with {a} and subtract {b}.", "a:5-150 - b:2-120"),
    _sum("times", "Multiply {a} by {b}.|Take {a} times {b}.|Begin with {a} and multiply by {b}.", "a:2-75 * b:2-12"),
    _sum(
        "divided",
        "Divide {a} by {b}.|Share {a} equally among {b}.|Begin with {a} and divide by {b}.",
        "a:4-150 / b:2-12",
    ),
)

"""Arithmetic expressions as trees, and their exact values. Nothing is ever executed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

_MAX_EXPONENT = 32
_MAX_BITS = 1024

Operator = Literal["+", "-", "*", "/", "^"]


@dataclass(frozen=True, slots=True)
class Number:
    """A literal; `decimals` are its digits after the point, `scale` what a word like "dozen" behind it means."""

    value: Fraction
    decimals: int = 0
    scale: int = 1


@dataclass(frozen=True, slots=True)
class Percent:
    """A percentage."""

    of: Node


@dataclass(frozen=True, slots=True)
class Negative:
    """A value with its sign turned."""

    of: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """Two values and what joins them."""

    operator: Operator
    left: Node
    right: Node


Node = Number | Percent | Negative | Binary


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression, the tokens `[first, last)` it was read from, its literals in order, and the words in it.

    `is_ambiguous`: in "6 / 1/2" the writer may have meant either order; the later division was read first.
    """

    node: Node
    first: int
    last: int
    numbers: tuple[Number, ...]
    words: tuple[str, ...]
    has_percent: bool
    is_ambiguous: bool

    @property
    def is_literal(self) -> bool:
        return isinstance(_inner(self.node), Number)


def _inner(node: Node) -> Node:
    while isinstance(node, (Percent, Negative)):
        node = node.of
    return node


def value_of(node: Node, *, literally: bool = False) -> Fraction | None:
    """The exact value; `None` for a division by zero and for what is out of bounds (more than 1,024 bits).

    `literally` passes over percent signs and words of scale ("5 million" is 5), as people do who carry them along.
    """
    if isinstance(node, Number):
        return node.value if literally else node.value * node.scale
    if isinstance(node, (Percent, Negative)):
        value = value_of(node.of, literally=literally)
        if value is None:
            return None
        if isinstance(node, Negative):
            return -value
        return value if literally else value / 100
    left, right = value_of(node.left, literally=literally), value_of(node.right, literally=literally)
    joined = None if left is None or right is None else _joined(node.operator, left, right)
    return joined if joined is not None and _num_bits(joined) <= _MAX_BITS else None


def _num_bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _joined(operator: Operator, left: Fraction, right: Fraction) -> Fraction | None:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right if right else None
        case "^":
            return _power(left, right)


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator != 1 or abs(exponent) > _MAX_EXPONENT or (not base and exponent < 0):
        return None
    return base ** int(exponent) if _num_bits(base) * abs(int(exponent)) <= _MAX_BITS else None

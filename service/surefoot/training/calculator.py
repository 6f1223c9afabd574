"""The calculator behind annotations like `<<48/2=24>>`: expressions that can be changed, and their exact values.

Numbers are exact fractions. An expression is a tuple of numbers, the operators + - * / and parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

Token = Fraction | str
Expression = tuple[Token, ...]

OPERATOR_SIGNS: Mapping[str, str] = MappingProxyType(
    {"+": "+", "-": "-", "−": "-", "–": "-", "*": "*", "x": "*", "×": "*", "/": "/", "÷": "/"}
)
"""How operators are written, and what they mean."""

NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
"""A number without its sign: digits, with or without commas between thousands."""

_TOKEN = re.compile(rf"\s*(?:(?P<number>{NUMBER})|(?P<sign>[-+*/()]))")
_OPERATIONS: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = MappingProxyType(
    {
        "+": lambda left, right: left + right,
        "-": lambda left, right: left - right,
        "*": lambda left, right: left * right,
        "/": lambda left, right: left / right,
    }
)
_PRECEDENCE: Mapping[str, int] = MappingProxyType({"+": 1, "-": 1, "*": 2, "/": 2})
_MAX_TOKENS = 64


def number_value(text: str) -> Fraction:
    """The exact value of one `NUMBER`."""
    return Fraction(text.replace(",", ""))


def parse_expression(text: str) -> Expression:
    """The tokens of an expression in plain ASCII signs. Raises `ValueError` for anything else, or beyond 64 tokens."""
    tokens: list[Token] = []
    position = 0
    text = text.strip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None or len(tokens) >= _MAX_TOKENS:
            raise ValueError("not a plain arithmetic expression")
        tokens.append(number_value(found["number"]) if found["number"] else found["sign"])
        position = found.end()
    return tuple(tokens)


def evaluate(expression: Sequence[Token]) -> Fraction:
    """The exact value. Raises `ValueError` where the tokens are no expression or divide by zero."""
    value, end = _evaluate(expression, 0, 1)
    if end != len(expression):
        raise ValueError("not a plain arithmetic expression")
    return value


def is_rounding_of(stated: Fraction, exact: Fraction) -> bool:
    """Whether `stated` is `exact` or `exact` rounded, up, down or half up, to a whole number or to decimals.

    To a whole number only where `exact` is 10 at least and no whole number: 33 for 33.3, not 1 for 0.5.
    """
    if stated == exact:
        return True
    if exact.denominator == 1:
        return False
    if stated.denominator == 1:
        return abs(exact) >= 10 and abs(stated - exact) < 1
    decimals = next((count for count in range(1, 7) if (stated * 10**count).denominator == 1), None)
    return decimals is not None and abs(stated - exact) < Fraction(1, 10**decimals)


def _evaluate(tokens: Sequence[Token], start: int, lowest: int) -> tuple[Fraction, int]:
    """By precedence climbing: the value of what binds at least as strongly as `lowest`, and where it ends."""
    value, position = _operand(tokens, start)
    while position < len(tokens):
        sign = tokens[position]
        if not isinstance(sign, str) or _PRECEDENCE.get(sign, 0) < lowest:
            break
        right, position = _evaluate(tokens, position + 1, _PRECEDENCE[sign] + 1)
        if sign == "/" and right == 0:
            raise ValueError("division by zero")
        value = _OPERATIONS[sign](value, right)
    return value, position


def _operand(tokens: Sequence[Token], start: int) -> tuple[Fraction, int]:
    first = tokens[start] if start < len(tokens) else ")"
    if isinstance(first, Fraction):
        return first, start + 1
    if first == "-":
        value, end = _operand(tokens, start + 1)
        return -value, end
    if first == "(":
        value, end = _evaluate(tokens, start + 1, 1)
        if end < len(tokens) and tokens[end] == ")":
            return value, end + 1
    raise ValueError("not a plain arithmetic expression")

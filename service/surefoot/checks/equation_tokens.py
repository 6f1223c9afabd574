"""A step's text as the tokens that equations are made of, plain typography and LaTeX alike."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["number", "word", "symbol", "operator", "percent", "fraction", "relation", "open", "close", "break"]
"""`symbol`: a letter or sign that stands for a value nobody knows here, or that joins numbers into no plain one."""

MAX_NUMBER_CHARS = 24
"""Longer numbers are symbols: no solution needs them, and exact arithmetic on them would not be free."""
_MAX_DEPTH = 16

_MONEY = r"\\?[$€£¥₹]"
_TOKEN = re.compile(
    rf"""
      (?P<space>      [ \t\u00a0\u202f]++
                    | \\(?:left|right|displaystyle|boxed|fbox|mathbf|mathrm|text(?=\{{)|quad|[ ,;!()\[\]])
                    | (?<![0-9)])\*\*|\*\*(?![0-9(])|__++|["'`’“”]|\.\.\.++|… )
    | (?P<padded>   0[0-9]++(?![.,]?[0-9]) )
    | (?P<number>   (?:{_MONEY}[ ]?)?+(?:[0-9]{{1,3}}(?:,[0-9]{{3}})++(?![0-9])(?:\.[0-9]++)?
                                        |[0-9]++(?:\.[0-9]++)?|\.[0-9]++) | [½⅓⅔¼¾⅕⅛] )
    | (?P<money>    {_MONEY} )
    | (?P<percent>  \\?%|％|percent(?![a-z]) )
    | (?P<fraction> \\[dtc]?frac(?![A-Za-z]) )
    | (?P<power>    \^|\*\* )
    | (?P<squared>  [²³] )
    | (?P<times>    [*×·∙⋅✕]|\\(?:times|cdot|ast)(?![A-Za-z])|[xX](?=[ ]?(?:{_MONEY}|[0-9.(])) )
    | (?P<over>     [/÷⁄∕]|\\div(?![A-Za-z]) )
    | (?P<plus>     \+ )
    | (?P<arrow>    [-=]>|[<>!≠≤≥]=? )
    | (?P<minus>    [-−–] )
    | (?P<about>    [≈≅≃]|~=|\\(?:approx|simeq)(?![A-Za-z]) )
    | (?P<equals>   ==?+|equals(?![^\W\d_]) )
    | (?P<clock>    [ap]\.m\b\.? )
    | (?P<word>     [^\W\d_]++(?:['’-][^\W\d_]++)*+[0-9]*+ )
    | (?P<command>  \\[A-Za-z]++ )
    | (?P<open>     [(\[{{] )
    | (?P<close>    [)\]}}] )
    | (?P<sign>     (?<=[0-9])[,:.](?=[0-9])|[√∛π∑∏∫∞°] )
    | (?P<other>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
_SIGNS = {"times": "*", "over": "/", "plus": "+", "minus": "-", "power": "^", "about": "≈", "equals": "="}
_KINDS: Mapping[str, Kind] = {
    "number": "number",
    "word": "word",
    "clock": "word",
    "command": "symbol",
    "sign": "symbol",
    "squared": "symbol",
    "padded": "symbol",
    "percent": "percent",
    "fraction": "fraction",
    "about": "relation",
    "equals": "relation",
    "open": "open",
    "close": "close",
    **dict.fromkeys(("times", "over", "plus", "minus", "power"), "operator"),
}
"""By group of the pattern; the others are breaks, or left out."""
_PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text; `start` and `end` are code points. Operators are `+ - * / ^`, relations `=` and `≈`."""

    kind: Kind
    text: str
    start: int
    end: int


def read_tokens(text: str) -> list[Token]:
    """All tokens in order, in time linear in the text; white space and markup are left out.

    Brackets that do not pair up inside one sentence and one side of an equation, or nest deeper than 16, are breaks.
    """
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        group = match.lastgroup or "other"
        if group not in ("space", "money"):
            tokens.append(_token(group, match))
    return _with_paired_brackets(tokens)


def _token(group: str, match: re.Match[str]) -> Token:
    text = match[0]
    kind = _KINDS.get(group, "break")
    if group == "number" and len(text) > MAX_NUMBER_CHARS:
        kind = "symbol"
    elif text == "~":
        kind, text = "word", "about"
    return Token(kind, _SIGNS.get(group, text), match.start(), match.end())


def _with_paired_brackets(tokens: Sequence[Token]) -> list[Token]:
    paired = list(tokens)
    opened: list[int] = []
    alone: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind in ("break", "relation"):
            alone.extend(opened)
            opened.clear()
        elif token.kind == "open":
            if len(opened) >= _MAX_DEPTH:
                alone.extend(opened)
                opened.clear()
            opened.append(index)
        elif token.kind == "close":
            if opened and _PAIRS[tokens[opened[-1]].text] == token.text:
                opened.pop()
            else:
                alone.extend(opened)
                opened.clear()
                alone.append(index)
    for index in (*alone, *opened):
        paired[index] = replace(tokens[index], kind="break")
    return paired

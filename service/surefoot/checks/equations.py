"""Where a step states that two expressions are equal, and whether the words around them leave that in doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from surefoot.checks.equation_tokens import Kind, Token, read_tokens
from surefoot.checks.expression_reader import read_expression
from surefoot.checks.expressions import Expression

_MAX_WORDS_BEFORE_RELATION = 8
_APPROXIMATELY = frozenset({"about", "approximately", "approx", "roughly", "around", "nearly", "almost", "over"})
_FILLING = frozenset({"a", "an", "the", "total", "of", "only", "just", "exactly"})
# Words before an expression with which it is only a part of what is meant.
_CHANGING_BEFORE = frozenset(
    {"half", "twice", "thrice", "double", "triple", "third", "quarter", "times", "minus", "plus", "than"}
    | {"divided", "multiplied", "subtract", "add", "over", "per", "sqrt", "log", "mod"}
)
_LINKING = frozenset({"of", "by"})
# Words after an expression that say it is not the plain number it looks like.
_CHANGING_AFTER = frozenset(
    {"remainder", "rem", "r", "am", "pm", "a.m.", "p.m.", "a.m", "p.m", "o'clock", "squared", "cubed", "mod", "or"}
    | {"st", "nd", "rd", "th", "noon", "midnight"}
)
_LABELS = frozenset(
    {"day", "week", "month", "year", "hour", "step", "number", "page", "chapter", "round", "room", "grade", "case"}
    | {"part", "question", "level", "item"}
)
_ONE_LETTER_WORDS = frozenset({"a", "A", "I"})
_BRACKETS = ("(", "[", "{")
_POWERS = ("²", "³")
_THOUSANDS = 3
_INDENT = 64
MONEY = "$"
"""Stands among the words of a side where a number bears a sign of currency."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an equation. Where it `is_doubtful` a mismatch proves nothing.

    `words` are the words in it and right behind it: the units.
    """

    expression: Expression
    is_doubtful: bool
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Equation:
    """Two sides said to be equal, or nearly so; `span` is their place in the text, in code points.

    In a chain the left side of a later equation is the right side of the one before it: it `continues`.
    """

    left: Side
    right: Side
    is_approximate: bool
    continues: bool
    span: tuple[int, int]


def find_equations(text: str) -> list[Equation]:
    """Every equation between two readable expressions, in order; work is linear in the text."""
    tokens = read_tokens(text)
    if all(token.kind != "relation" for token in tokens):
        return []
    return list(_equations(text, tokens))


def _equations(text: str, tokens: Sequence[Token]) -> Iterator[Equation]:
    expressions = _expressions(tokens)
    by_first = {found.first: found for found in expressions}
    last_before: Expression | None = None
    upcoming = iter(expressions)
    following = next(upcoming, None)
    previous_right: Expression | None = None
    for index, token in enumerate(tokens):
        while following is not None and following.last <= index:
            last_before, following = following, next(upcoming, None)
        if token.kind != "relation":
            continue
        first, said_nearly = _skip_filling(tokens, index + 1)
        right = by_first.get(first)
        left = last_before if last_before is not None and _only_words(tokens, last_before.last, index) else None
        if left is not None and right is not None:
            continues = left is previous_right
            yield Equation(
                _side(text, tokens, left, continues=continues),
                _side(text, tokens, right, continues=True),
                token.text == "≈" or said_nearly,
                continues,
                (tokens[left.first].start, tokens[right.last - 1].end),
            )
        previous_right = right


def _expressions(tokens: Sequence[Token]) -> list[Expression]:
    found: list[Expression] = []
    index = 0
    while index < len(tokens):
        kind = tokens[index].kind
        starts = kind in ("number", "fraction", "open") or _is_sign(tokens, index)
        expression = read_expression(tokens, index) if starts else None
        if expression is None:
            index += 1
        else:
            found.append(expression)
            index = expression.last
    return found


def _is_sign(tokens: Sequence[Token], index: int) -> bool:
    """A minus in front of a number, and not between two values: after a relation, a bracket, a break, or a word."""
    if tokens[index].kind != "operator" or tokens[index].text != "-" or index + 1 >= len(tokens):
        return False
    if index == 0 or tokens[index - 1].kind in ("word", "break"):
        return tokens[index].end == tokens[index + 1].start  # "- 3 boxes" is an item of a list, or a dash
    return tokens[index - 1].kind in ("relation", "open")


def _skip_filling(tokens: Sequence[Token], index: int) -> tuple[int, bool]:
    """The place after "about", "a total of" and the like, and whether they say "nearly"."""
    nearly = False
    for place in range(index, min(index + 4, len(tokens))):
        word = tokens[place].text.lower()
        if tokens[place].kind != "word" or word not in _APPROXIMATELY | _FILLING:
            return place, nearly
        nearly = nearly or word in _APPROXIMATELY
    return index, nearly


def _only_words(tokens: Sequence[Token], start: int, end: int) -> bool:
    between = tokens[start:end] if end - start <= _MAX_WORDS_BEFORE_RELATION else None
    return between is not None and all(_is_unit_part(token) for token in between)


def _is_unit_part(token: Token) -> bool:
    return token.kind in ("word", "open", "close") or (token.kind == "operator" and token.text in "/-")


def _side(text: str, tokens: Sequence[Token], expression: Expression, *, continues: bool) -> Side:
    behind = tokens[expression.last : _end_of_unit(tokens, expression.last)]
    words = (*expression.words, *(token.text.lower() for token in behind if token.kind == "word"))
    if any(_is_money(token) for token in tokens[expression.first : expression.last]):
        words = (*words, MONEY)
    doubtful = (
        expression.is_ambiguous
        or not set(words).isdisjoint(_CHANGING_AFTER)
        or _is_changed_after(tokens, expression)
        or _has_variable(tokens, expression.first, expression.last + len(behind))
        or (not continues and _is_changed_before(text, tokens, expression))
        or (not continues and expression.is_literal and not _stands_alone(tokens, expression, behind))
    )
    return Side(expression, doubtful, words)


def _end_of_unit(tokens: Sequence[Token], start: int) -> int:
    end = start
    limit = min(start + _MAX_WORDS_BEFORE_RELATION, len(tokens))
    while end < limit:
        if tokens[end].kind == "word":
            end += 1
        elif tokens[end].text == "/" and _kind(tokens, end + 1) == "word":
            end += 2
        else:
            break
    return end


def _stands_alone(tokens: Sequence[Token], expression: Expression, behind: Sequence[Token]) -> bool:
    """A number before "=" is a value of its own, and not that of "day 1" or "1 box"."""
    return not behind and (expression.first == 0 or tokens[expression.first - 1].kind in ("break", "open"))


def _is_changed_before(text: str, tokens: Sequence[Token], expression: Expression) -> bool:
    """Whether what stands in front of an expression is a part of it that could not be read."""
    place = expression.first
    nearest = _word(tokens, place - 1)
    if nearest in _LINKING:
        nearest = _word(tokens, place - 2) if _kind(tokens, place - 2) == "word" else "times"
    if nearest in _CHANGING_BEFORE or nearest.removesuffix("s") in _LABELS:
        return True
    if place and tokens[place - 1].kind == "word" and tokens[place - 1].end == tokens[place].start:
        return True
    if place and _is_variable(tokens, place - 1):
        return True
    while place and (tokens[place - 1].kind == "word" or tokens[place - 1].text in _BRACKETS):
        place -= 1
    if not place or tokens[place - 1].kind == "relation":
        return False
    before = tokens[place - 1]
    if before.kind == "break":
        return before.text == "," and _splits_a_number(tokens, expression.first)
    if before.kind == "operator":
        return not _is_bullet(text, before)
    # A number and then words is what the sentence was about before; an expression there may belong to this one.
    return before.kind not in ("number", "percent") or place == expression.first or _ends_an_expression(tokens, place)


def _ends_an_expression(tokens: Sequence[Token], end: int) -> bool:
    return end >= 2 and tokens[end - 2].kind == "operator"


def _splits_a_number(tokens: Sequence[Token], first: int) -> bool:
    """The space in "14, 400"."""
    return first >= 2 and tokens[first - 2].kind == "number" and len(tokens[first].text) == _THOUSANDS


def _is_bullet(text: str, token: Token) -> bool:
    """A sign at the start of a line, as in a list."""
    return token.text in "-*" and not text[max(0, token.start - _INDENT) : token.start].rpartition("\n")[2].strip()


def _is_changed_after(tokens: Sequence[Token], expression: Expression) -> bool:
    """Whether an expression goes on with something that could not be read."""
    unit_end = _end_of_unit(tokens, expression.last)
    if _kind(tokens, expression.last) == "word":
        nearest = tokens[expression.last].text.lower()
        if (nearest == "of" and not expression.is_literal) or (
            nearest == "and" and _kind(tokens, unit_end) in ("number", "open", "fraction")
        ):
            return True
    if unit_end >= len(tokens):
        return False
    after = tokens[unit_end]
    if after.kind == "open":
        return after.start == tokens[unit_end - 1].end
    if after.kind == "operator":
        following = _kind(tokens, unit_end + 1)
        is_dash = after.text == "-" and following == "word" and not _is_variable(tokens, unit_end + 1)
        return following not in (None, "break") and not is_dash
    return after.kind == "symbol" or (unit_end == expression.last and after.kind in ("percent", "number"))


def _has_variable(tokens: Sequence[Token], first: int, last: int) -> bool:
    return any(_is_variable(tokens, index) for index in range(first, last))


def _is_variable(tokens: Sequence[Token], index: int) -> bool:
    """A letter that is no word of its own: "x", the "A" of "3A", and "x2"."""
    token = tokens[index]
    if token.kind == "word" and token.text[-1].isdigit():
        return True
    if token.kind != "word" or len(token.text) > 1:
        return token.kind == "symbol" and token.text not in _POWERS
    return token.text not in _ONE_LETTER_WORDS or (index > 0 and tokens[index - 1].end == token.start)


def _is_money(token: Token) -> bool:
    return token.kind == "number" and token.text[0] in "\\$€£¥₹"


def _kind(tokens: Sequence[Token], index: int) -> Kind | None:
    return tokens[index].kind if 0 <= index < len(tokens) else None


def _word(tokens: Sequence[Token], index: int) -> str:
    return tokens[index].text.lower() if index >= 0 else ""

"""Tokens to expressions: a recursive descent over what prose writes between numbers.

A number may be followed by what it counts ("3 boxes * 12 pens/box"), which is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from surefoot.checks.equation_tokens import Token
from surefoot.checks.expressions import Binary, Expression, Negative, Node, Number, Operator, Percent

MAX_OPERANDS = 64
"""Longer expressions are cut here, and left in doubt: values stay small, and so does the work."""
MAX_UNIT_WORDS = 6
_SIGNS: Mapping[str, Operator] = {"+": "+", "-": "-", "*": "*", "/": "/", "^": "^"}
_VULGAR = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅛": (1, 8)}
_SPOKEN: dict[str, Operator] = {"times": "*", "plus": "+", "minus": "-", "divided": "/", "multiplied": "*"}
_CLAUSE_WORDS = frozenset(
    {"because", "since", "so", "then", "thus", "therefore", "if", "means", "is", "are", "was", "were"}
)
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9}


class Unreadable(ValueError):
    """The tokens are no expression."""


def read_expression(tokens: Sequence[Token], first: int) -> Expression | None:
    """The longest expression that begins at token `first`, `None` where none begins there.

    What follows an operator must be a number or a bracket; an operator with anything else behind it is not taken in.
    """
    reader = _Reader(tokens, first)
    try:
        node = reader.sum()
    except Unreadable:
        return None
    numbers, words = tuple(reader.numbers), tuple(reader.words)
    return Expression(node, first, reader.at, numbers, words, reader.has_percent, reader.is_ambiguous)


class _Reader:
    def __init__(self, tokens: Sequence[Token], at: int) -> None:
        self.tokens = tokens
        self.at = at
        self.numbers: list[Number] = []
        self.words: list[str] = []
        self.has_percent = False
        self.is_ambiguous = False

    def sum(self) -> Node:
        node = self._product()
        while (operator := self._take_operator("+-")) is not None:
            node = Binary(operator, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._signed()
        while (operator := self._take_operator("*/")) is not None:
            node = Binary(operator, node, self._divisor() if operator == "/" else self._signed())
        return node

    def _divisor(self) -> Node:
        """What follows a division sign: a whole fraction where one stands behind a space, as in "6 / 1/2"."""
        sign, top, bar, bottom = (self._token(self.at + ahead) for ahead in (-1, 0, 1, 2))
        if sign is None or top is None or bar is None or bottom is None or bar.text != "/" or bottom.kind != "number":
            return self._signed()
        self.is_ambiguous = True
        if sign.end == top.start or not top.end == bar.start == bar.end - 1 == bottom.start - 1:
            return self._signed()
        node = self._signed()
        self.at += 1
        return Binary("/", node, self._signed())

    def _signed(self) -> Node:
        if self._is_operator(self.at, "-"):
            self.at += 1
            return Negative(self._power())
        return self._power()

    def _power(self) -> Node:
        node = self._percentage()
        if self._is_operator(self.at, "^") and self._begins_operand(self.at + 1):
            self.at += 1
            return Binary("^", node, self._signed())
        raised = self._token(self.at)
        if raised is not None and raised.text in ("²", "³"):
            self.at += 1
            return Binary("^", node, Number(Fraction(2 if raised.text == "²" else 3)))
        return node

    def _percentage(self) -> Node:
        node = self._atom()
        if self._kind(self.at) != "percent":
            return node
        self.at += 1
        self.has_percent = True
        return Percent(node)

    def _atom(self) -> Node:
        token = self._token(self.at)
        if token is None:
            raise Unreadable
        if token.kind == "fraction":
            self.at += 1
            return Binary("/", self._group(), self._group())
        if token.kind == "open":
            return self._group()
        if token.kind != "number":
            raise Unreadable
        return self._number(token)

    def _group(self) -> Node:
        if self._kind(self.at) != "open":
            raise Unreadable
        self.at += 1
        node = self.sum()
        after = self._after_unit(self.at)
        if self._kind(after) != "close":
            raise Unreadable
        self._keep_words(after)
        self.at = after + 1
        return node

    def _number(self, token: Token) -> Node:
        self.at += 1
        whole = _literal(token, self._token(self.at))
        self.numbers.append(whole)
        over = self._mixed_fraction(token)
        if over is None:
            return whole
        return Binary("+", whole, over)

    def _mixed_fraction(self, whole: Token) -> Node | None:
        """What follows in "2 1/2" and "2½", and only there: a proper fraction."""
        top, bar, bottom = (self._token(self.at + ahead) for ahead in range(3))
        if top is None or top.kind != "number" or not whole.text.isascii() or not whole.text.isdigit():
            return None
        if top.text in _VULGAR:
            self.at += 1
            return _literal(top, None)
        if bar is None or bottom is None or bar.text != "/" or bar.start != top.end or bottom.start != bar.end:
            return None
        if not (top.text.isdigit() and bottom.text.isdigit() and 0 < int(top.text) < int(bottom.text)):
            return None
        self.at += 3
        return Binary("/", _literal(top, None), _literal(bottom, None))

    def _take_operator(self, wanted: str) -> Operator | None:
        """The next operator if it is one of `wanted` and an operand follows; the unit before it is passed over."""
        if "*" in wanted and self._is_product_by_position():
            return "*"
        after = self._after_unit(self.at)
        operator, operand = self._operator_at(after)
        if operator is None or operator not in wanted or not self._begins_operand(operand):
            return None
        self._keep_words(after)
        self.at = operand
        return operator

    def _operator_at(self, index: int) -> tuple[Operator | None, int]:
        token = self._token(index)
        if token is None:
            return None, index
        if token.kind == "operator":
            return _SIGNS.get(token.text), index + 1
        word = token.text.lower()
        if word == "of" and index == self.at and self._is_share():
            return "*", index + 1
        if token.kind != "word" or word not in _SPOKEN:
            return None, index
        following = self._token(index + 1)
        takes_by = word in ("divided", "multiplied")
        if takes_by and (following is None or following.text != "by"):
            return None, index
        return _SPOKEN[word], index + 1 + takes_by

    def _is_share(self) -> bool:
        """Whether "of" can mean a product: behind a percentage, a fraction or a decimal below one."""
        before, earlier = self._token(self.at - 1), self._token(self.at - 2)
        if before is None or before.kind in ("percent", "close") or before.text in _VULGAR:
            return before is not None
        return (earlier is not None and earlier.text == "/") or (bool(self.numbers) and self.numbers[-1].value < 1)

    def _is_product_by_position(self) -> bool:
        """A bracket glued to a number or another bracket multiplies: "2(3 + 4)"."""
        bracket, before = self._token(self.at), self._token(self.at - 1)
        return (
            bracket is not None
            and before is not None
            and bracket.kind == "open"
            and bracket.text == "("
            and bracket.start == before.end
            and self._begins_operand(self.at + 1)
        )

    def _after_unit(self, index: int) -> int:
        """The place after the words that say what a number counts; words that are operators here are none."""
        for _ in range(MAX_UNIT_WORDS):
            if self._is_unit_word(index):
                index += 1
            elif (self._is_operator(index, "/") or self._is_operator(index, "-")) and self._is_glued_word(index + 1):
                index += 2
            elif self._is_word_in_brackets(index):
                index += 3
            else:
                break
        return index

    def _is_unit_word(self, index: int) -> bool:
        token = self._token(index)
        if token is None or token.kind != "word" or token.text.lower() in _CLAUSE_WORDS:
            return False
        operator, operand = self._operator_at(index)
        return operator is None or not self._begins_operand(operand)

    def _is_word_in_brackets(self, index: int) -> bool:
        bracket, before = self._token(index), self._token(index - 1)
        if bracket is None or before is None or bracket.kind != "open" or bracket.start == before.end:
            return False
        return self._kind(index + 1) == "word" and self._kind(index + 2) == "close"

    def _is_glued_word(self, index: int) -> bool:
        word, before = self._token(index), self._token(index - 1)
        spaced = word is not None and before is not None and before.text == "-" and word.start != before.end
        return word is not None and word.kind == "word" and len(word.text) > 1 and not spaced

    def _begins_operand(self, index: int) -> bool:
        if len(self.numbers) >= MAX_OPERANDS:
            return False
        if self._is_operator(index, "-"):
            index += 1
        if self._kind(index) == "open":
            return self._begins_operand(index + 1)
        return self._kind(index) in ("number", "fraction")

    def _keep_words(self, end: int) -> None:
        self.words.extend(token.text.lower() for token in self.tokens[self.at : end] if token.kind == "word")

    def _token(self, index: int) -> Token | None:
        return self.tokens[index] if 0 <= index < len(self.tokens) else None

    def _kind(self, index: int) -> str | None:
        token = self._token(index)
        return None if token is None else token.kind

    def _is_operator(self, index: int, sign: str) -> bool:
        token = self._token(index)
        return token is not None and token.kind == "operator" and token.text == sign


def _literal(token: Token, following: Token | None) -> Number:
    if token.text in _VULGAR:
        return Number(Fraction(*_VULGAR[token.text]))
    digits = token.text.lstrip("\\$€£¥₹ ").replace(",", "")
    scale = 1 if following is None else _SCALES.get(following.text.lower(), 1)
    return Number(Fraction(digits), len(digits.partition(".")[2]), scale)

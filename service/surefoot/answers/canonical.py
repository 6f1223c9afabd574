"""A key for an answer: equal keys mean equal answers, and plain rational numbers are exact."""

from __future__ import annotations

import re
from fractions import Fraction

_TRANSLATION = str.maketrans(
    {"−": "-", "–": "-", "⁄": "/", "∕": "/", "÷": "/", "×": r"\times ", "π": r"\pi ", "∞": r"\infty ", "％": "%"}
)

_REWRITES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<!\\)\\[()\[\]]|\\?\$", ""),
        (r"\\(?:left|right|[bB]igg?[lrm]?|displaystyle|textstyle|limits)(?![A-Za-z])", ""),
        (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
        (r"\\!", ""),
        (r"\{,\}", ","),
        (r"(?<=[0-9])\\,(?=[0-9]{3}(?![0-9]))", ""),
        (r"(?<!\\)\\[,;: ]|\\q?quad(?![A-Za-z])|~", " "),
        (r"\\%", "%"),
    )
)

# Words that change the value or list another answer are not units.
_UNIT = re.compile(
    r"(?P<value>(?!\\(?:text|math|mbox))(?=[-+0-9.\\{]).*(?<=[0-9)}]))\s*"
    r"(?:\\(?:text|textrm|mathrm|mbox)\s*\{\s*(?!(?:and|or|percent|pct|dozen|hundred|thousand|[mb]illion)\b)"
    r"[A-Za-z][A-Za-z .°/²³-]*\}(?:\^(?:\{-?[0-9]\}|[0-9]))?|\^(?:\{\\circ\}|\\circ)|°)",
    re.DOTALL,
)
_WORDS = re.compile(r"\\(?:text|textrm|textbf|textit|mathrm|mathbf|mbox)\s*\{([^{}]*)\}")
_SPACE = re.compile(r"\s+")
_SPACE_INSIDE = re.compile(r"(?<![0-9]) | (?![0-9])")

_DECIMAL = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_SIGNED = rf"[+-]?(?:{_DECIMAL})(?:[eE][+-]?[0-9]+)?"
_RATIONAL = re.compile(
    rf"(?:(?P<numerator>{_SIGNED})(?:/(?P<denominator>{_SIGNED}))?"
    rf"|(?P<sign>[+-]?)\\frac ?(?:\{{(?P<top>{_SIGNED})\}}|(?P<top_digit>[0-9]))"
    rf" ?(?:\{{(?P<bottom>{_SIGNED})\}}|(?P<bottom_digit>[0-9])))(?P<percent>%?)"
)
_NUMBER_KEY = re.compile(r"-?[0-9]+(?:/[0-9]+)?%?")

_MAX_RATIONAL_CHARS = 400
_MAX_EXPONENT = 400


def canonical_key(answer: str) -> str:
    """A normal form of the answer; answers with one key are equivalent, others may be.

    Spacing, math delimiters, `\\left` and `\\right`, the kind of fraction command, `\\text{}` (dropped after a number,
    where it is a unit) and trailing dots do not matter. Integers, decimals, `a/b` and `\\frac{a}{b}` become the exact
    fraction ("0.50" → "1/2"); percentages keep their sign ("50%"). Numbers of more than 400 characters or with an
    exponent beyond 400 stay text, so that no answer is slow.
    """
    text = answer.strip().translate(_TRANSLATION)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    text = text.strip().rstrip(".,;").strip()
    unit = _UNIT.fullmatch(text)
    text = unit["value"] if unit else _WORDS.sub(r"\1", text)
    text = _SPACE_INSIDE.sub("", _SPACE.sub(" ", text.strip()))
    return _rational_key(text) or text


def is_number_key(key: str) -> bool:
    """Whether the key is that of a plain rational number or percentage: two such keys differ as numbers do."""
    return _NUMBER_KEY.fullmatch(key) is not None


def _rational_key(text: str) -> str | None:
    match = _RATIONAL.fullmatch(text) if len(text) <= _MAX_RATIONAL_CHARS else None
    if match is None:
        return None
    top = _exact(match["numerator"] or match["top"] or match["top_digit"])
    bottom = _exact(match["denominator"] or match["bottom"] or match["bottom_digit"] or "1")
    if top is None or not bottom:
        return None
    value = -top / bottom if match["sign"] == "-" else top / bottom
    return f"{value}{match['percent']}"


def _exact(decimal: str) -> Fraction | None:
    """The number without loss, `None` where writing it out would be long."""
    digits, _, exponent = decimal.replace(",", "").lower().partition("e")
    if len(exponent) > len(str(_MAX_EXPONENT)) + 1 or abs(int(exponent or 0)) > _MAX_EXPONENT:
        return None
    return Fraction(digits) * Fraction(10) ** int(exponent or 0)

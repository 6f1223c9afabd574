"""The final answer as a solution states it; every scan is linear in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable

_BOX = re.compile(r"\\(?:boxed|fbox)[ \t]*+\{")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)

_HASHES = re.compile(r"^[ \t]*+####(?!#)[ \t]*+(?P<answer>[^\r\n]++)", re.MULTILINE)
# Markdown writes its fourth-level headings with the same four hashes.
_HEADING = re.compile(r"(?i:step|part|case)\b|[0-9]+[.)]\s")

_PHRASE = re.compile(
    r"(?:\b(?:the|final|correct)\s{1,4}answer(?:\s{1,4}is)?[\s*_]{0,4}[:=]|\banswer\s{1,4}is\b|^\W{0,6}answer[\s*_]{0,4}:)"
    r":?(?:(?:\*\*|__)(?=[\s:]))?[\s:]*+",
    re.IGNORECASE | re.MULTILINE,
)
# A phrase may be cut off or followed by dots alone; looking back further would cost time on a text of such phrases.
_MAX_PHRASES = 4
_REST_OF_LINE = re.compile(r"[^\r\n]*")
_MATH = re.compile(
    r"\$\$[^$]++\$\$|\\\[(?s:.+?)\\\]|\$(?!\s)[^$\r\n]+(?<!\s)\$(?![0-9])|\\\([^\r\n]+?\\\)",
)
_SENTENCE_END = re.compile(r"\.[*_\"')]*+(?=\s|\Z)")

_NUMBER = re.compile(
    r"(?P<sign>(?<![\w)\]}])[-−])?[$€£¥₹]?"
    r"(?P<number>"
    r"\\[dt]?frac\{-?[0-9]+\}\{-?[0-9]+\}"
    r"|(?:[0-9]{1,3}(?:,[0-9]{3}(?![0-9]))+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|(?<![\w.])\.[0-9]+)"
    r"(?:[eE][+-]?[0-9]{1,6}(?!\w))?"
    r"(?:[ ]?/[ ]?[0-9]+(?:\.[0-9]+)?)?(?:[ ]?\\?%)?"
    r")"
)

_WRAPPERS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("**", "**"), ("__", "__"), ("*", "*"))
_MAX_WRAPPERS = 8


def extract_answer(text: str) -> str | None:
    """The final answer, or `None` where the text states none.

    Looked for in this order, the last occurrence of each: `\\boxed{x}` (or `\\fbox`) with balanced braces, `#### x`,
    "the answer is x" (or "final answer: x", "Answer: x" at a line's start), any number.
    """
    return _boxed(text) or _after_hashes(text) or _after_phrase(text) or _last_number(text)


def _boxed(text: str) -> str | None:
    openings = [match.end() - 1 for match in _BOX.finditer(text)]
    if not openings:
        return None
    closings = _closing_braces(text)
    for opening in reversed(openings):
        closing = closings.get(opening)
        content = text[opening + 1 : closing].strip() if closing is not None else ""
        if content:
            return content
    return None


def _closing_braces(text: str) -> dict[int, int]:
    """Each closed brace's position with that of its partner; escaped braces do not count."""
    partners: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACE.finditer(text):
        if match[0] == "{":
            opened.append(match.start())
        elif match[0] == "}" and opened:
            partners[opened.pop()] = match.start()
    return partners


def _after_hashes(text: str) -> str | None:
    text_end = len(text.rstrip())
    for match in reversed(list(_HASHES.finditer(text))):
        answer = match["answer"].strip()
        if not _is_heading(answer, ends_text=match.end() >= text_end):
            return _unwrapped(answer)
    return None


def _is_heading(line: str, *, ends_text: bool) -> bool:
    """A heading has more text below it; "#### 42" may have too, where a model runs on into the next problem."""
    if _HEADING.match(line) or line.rstrip("*_ ").endswith(":"):
        return True
    return not ends_text and not any(character.isdigit() for character in line)


def _after_phrase(text: str) -> str | None:
    for phrase in reversed(list(_PHRASE.finditer(text))[-_MAX_PHRASES:]):
        answer = _unwrapped(_stated_from(text, phrase.end()))
        if answer is not None:
            return answer
    return None


def _stated_from(text: str, start: int) -> str:
    """The formula or else the sentence that begins at `start`."""
    line = _REST_OF_LINE.match(text, start)
    math = _MATH.match(text, start)
    line_end = line.end() if line else start
    if math:
        rest = _SENTENCE_END.split(text[math.end() : max(line_end, math.end())], maxsplit=1)[0]
        if "$" not in rest and r"\(" not in rest:
            return math[0]
    return _SENTENCE_END.split(text[start:line_end], maxsplit=1)[0]


def _last_number(text: str) -> str | None:
    match = _last(_NUMBER.finditer(text))
    if match is None:
        return None
    return ("-" if match["sign"] else "") + match["number"].strip()


def _last(matches: Iterable[re.Match[str]]) -> re.Match[str] | None:
    last = None
    for last in matches:  # noqa: B007 - only the last one is wanted
        pass
    return last


def _unwrapped(answer: str) -> str | None:
    """Without trailing full stops and without the math and emphasis marks around the whole; `None` if nothing stays."""
    answer = answer.strip().rstrip(".").strip()
    for mark in ("**", "__"):  # emphasis that began before the answer
        if answer.endswith(mark) and answer.count(mark) == 1:
            answer = answer.removesuffix(mark)
    for _ in range(_MAX_WRAPPERS):
        inner = _inside_wrapper(answer)
        if inner is None:
            break
        answer = inner.strip().rstrip(".")
    return answer.strip() or None


def _inside_wrapper(answer: str) -> str | None:
    for opening, closing in _WRAPPERS:
        if len(answer) > len(opening + closing) and answer.startswith(opening) and answer.endswith(closing):
            inner = answer[len(opening) : -len(closing)]
            if opening not in inner:
                return inner
    return None

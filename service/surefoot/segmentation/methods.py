"""One function per way of splitting; each proposes pieces of the text in order, untrimmed and possibly blank."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from surefoot.domain import Splitting
from surefoot.segmentation.protection import LINE_BREAKS, Span, cuts_outside, protected_regions

_LINE_BREAK = re.compile(f"\r\n|[{LINE_BREAKS}]")
_LINE_BREAKS = re.compile(rf"(?:\r\n|[{LINE_BREAKS}])(?:\s*[{LINE_BREAKS}])?")

_NUMBERED_LINE = re.compile(
    r"(?P<indent>\s*+)(?:#{1,6}[ \t]++)?(?:\*\*|__)?(?P<number>[0-9]{1,4})[.)](?:\*\*|__)?(?=\s|\Z)"
)

# "Step 2 gives x" may begin a line of prose: without a heading or bold marks, a mark or the line's end must follow.
_STEP_LINE = re.compile(
    r"(?P<indent>\s*+)(?P<decoration>#{1,6}[ \t]++(?:\*\*|__)?|\*\*|__)?"
    r"(?i:step)[ \t]++#?(?P<number>[0-9]{1,4})(?![0-9])"
    rf"(?(decoration)|[ \t]*+(?:[:)：–—-]|\.(?![0-9])|(?=[{LINE_BREAKS}]|\Z)))"
)


@dataclass(frozen=True, slots=True)
class Source:
    """What is split, and the separator for the method that reads one."""

    text: str
    separator: str | None = None


@dataclass(frozen=True, slots=True)
class _Marker:
    """A line that opens a step: its place among the lines, its number and its indentation in characters."""

    line: int
    number: int
    indent: int


def _between(cuts: Sequence[Span], length: int) -> list[Span]:
    starts = [0, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), length]
    return list(zip(starts, ends, strict=True))


def _lines(text: str) -> list[Span]:
    """Spans of the lines that say something; a break inside a protected region does not end a line.

    Only the first and the last line may be blank.
    """
    breaks = [match.span() for match in _LINE_BREAKS.finditer(text)]
    return _between(cuts_outside(breaks, protected_regions(text)), len(text))


def _grouped(lines: Sequence[Span], first_lines: Sequence[int]) -> list[Span]:
    """Pieces that begin at the given lines; what stands before the first of them is a piece of its own."""
    bounds = sorted({0, *first_lines, len(lines)})
    return [(lines[first][0], lines[last - 1][1]) for first, last in pairwise(bounds)]


def _markers(pattern: re.Pattern[str], text: str, lines: Sequence[Span]) -> list[_Marker]:
    matches = ((place, pattern.match(text, start, end)) for place, (start, end) in enumerate(lines))
    return [_Marker(place, int(match["number"]), len(match["indent"])) for place, match in matches if match]


def _rising(markers: Sequence[_Marker]) -> list[_Marker]:
    """Markers whose numbers rise from the first one; deeper indented ones are lists inside a step."""
    kept = list(markers[:1])
    for marker in markers[1:]:
        if marker.number > kept[-1].number and marker.indent <= kept[0].indent:
            kept.append(marker)
    return kept


def _step_markers(text: str, lines: Sequence[Span]) -> list[_Marker]:
    return _markers(_STEP_LINE, text, lines)


def _numbered_markers(text: str, lines: Sequence[Span]) -> list[_Marker]:
    return _rising(_markers(_NUMBERED_LINE, text, lines))


def _are_consecutive(markers: Sequence[_Marker]) -> bool:
    return any(second.number == first.number + 1 for first, second in pairwise(markers))


def _paragraphs(text: str, lines: Sequence[Span]) -> list[Span]:
    gaps = ((above[1], below[0]) for above, below in pairwise(lines))
    after_blank = [place for place, gap in enumerate(gaps, start=1) if not _LINE_BREAK.fullmatch(text, *gap)]
    return _grouped(lines, after_blank)


def _by_newline(source: Source) -> list[Span]:
    return _lines(source.text)


def _by_blank_line(source: Source) -> list[Span]:
    return _paragraphs(source.text, _lines(source.text))


def _by_number(source: Source) -> list[Span]:
    lines = _lines(source.text)
    return _grouped(lines, [marker.line for marker in _numbered_markers(source.text, lines)])


def _by_step_prefix(source: Source) -> list[Span]:
    lines = _lines(source.text)
    return _grouped(lines, [marker.line for marker in _step_markers(source.text, lines)])


def _by_separator(source: Source) -> list[Span]:
    if not source.separator:
        raise ValueError("splitting 'separator' needs a non-empty separator")
    found = [match.span() for match in re.finditer(re.escape(source.separator), source.text)]
    return _between(cuts_outside(found, protected_regions(source.text)), len(source.text))


def _by_structure(source: Source) -> list[Span]:
    """The clearest structure that the text shows: step prefixes, numbers, blank lines, then lines."""
    text, lines = source.text, _lines(source.text)
    for find_markers in (_step_markers, _numbered_markers):
        markers = find_markers(text, lines)
        if _are_consecutive(markers):
            return _grouped(lines, [marker.line for marker in markers])
    paragraphs = _paragraphs(text, lines)
    num_steps = sum(1 for start, end in paragraphs if text[start:end].strip())
    return paragraphs if num_steps > 1 else lines


METHODS: Mapping[Splitting, Callable[[Source], list[Span]]] = {
    "newline": _by_newline,
    "blank_line": _by_blank_line,
    "numbered": _by_number,
    "step_prefix": _by_step_prefix,
    "separator": _by_separator,
    "auto": _by_structure,
}
"""Everything between the pieces is whitespace or the separator itself."""

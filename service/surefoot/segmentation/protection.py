"""Regions of a text that no split may tear apart: fenced code, display math and LaTeX environments."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

Span = tuple[int, int]

# Form feed and vertical tab are left out on purpose: "\frac" and "\vec" written in a non-raw string become them.
LINE_BREAKS = "\n\r\x85\u2028\u2029"

_MAX_FENCE = 8

# Possessive quantifiers keep every attempt linear. Escapes come first so that the spacing of `\\[2pt]` or a
# price `\$$5` opens nothing.
_DELIMITER = re.compile(
    rf"(?<![^{LINE_BREAKS}])[ \t]*+(?P<fence>`{{3,}}+|~{{3,}}+)(?P<info>[^`{LINE_BREAKS}]*+)(?=[{LINE_BREAKS}]|\Z)"
    r"|\\(?P<environment>begin|end)\{(?P<name>[A-Za-z]{1,32}\*?)\}"
    r"|(?P<escape>(?:\\[\\$])++)"
    r"|(?P<math>\$\$|\\\[|\\\])"
)


def protected_regions(text: str) -> list[Span]:
    """Half-open spans in ascending order, without overlap; the outermost pair of delimiters wins.

    An opener whose closer never comes protects nothing, so a cut-off or stray delimiter costs no step.
    """
    regions: list[Span] = []
    position = 0
    for start, end in _delimited(text):
        if start >= position:
            regions.append((start, end))
            position = end
    return regions


def _delimited(text: str) -> list[Span]:
    """Every opener with the end of the closer that belongs to it, ascending by start; linear by going backwards."""
    pairs: list[Span] = []
    math_ends: dict[str, int] = {}
    fence_ends: dict[str, int] = {}
    environment_ends: defaultdict[str, list[int]] = defaultdict(list)
    delimiters = [match for match in _DELIMITER.finditer(text) if match.lastgroup != "escape"]
    for match in reversed(delimiters):
        if match["fence"]:
            end = _fence_end(match, fence_ends)
        elif match["environment"]:
            end = _environment_end(match, environment_ends[match["name"]])
        else:
            end = _math_end(match, math_ends)
        if end is not None:
            pairs.append((match.start("fence") if match["fence"] else match.start(), end))
    pairs.reverse()
    return pairs


def _fence_end(match: re.Match[str], ends: dict[str, int]) -> int | None:
    """A fence is closed by the next bare fence of the same mark that is at least as long (CommonMark 4.5)."""
    marks = match["fence"][:_MAX_FENCE]
    end = ends.get(marks)
    if not match["info"].strip():
        for length in range(3, len(marks) + 1):
            ends[marks[:length]] = match.end("fence")
    return end


def _environment_end(match: re.Match[str], open_ends: list[int]) -> int | None:
    if match["environment"] == "end":
        open_ends.append(match.end())
        return None
    return open_ends.pop() if open_ends else None


def _math_end(match: re.Match[str], ends: dict[str, int]) -> int | None:
    mark = match["math"]
    if mark == r"\[":
        return ends.get(r"\]")
    end = ends.get(mark) if mark == "$$" else None
    ends[mark] = match.end()
    return end


def cuts_outside(cuts: Sequence[Span], regions: Sequence[Span]) -> list[Span]:
    """The cuts, ascending, that touch none of the ascending regions."""
    kept: list[Span] = []
    next_region = 0
    for start, end in cuts:
        while next_region < len(regions) and regions[next_region][1] <= start:
            next_region += 1
        if next_region == len(regions) or end <= regions[next_region][0]:
            kept.append((start, end))
    return kept

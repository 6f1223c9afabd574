"""A report of several sections as one Markdown page. It holds no date: equal runs give equal pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from surefoot.evaluation.bootstrap import Interval


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture beside the page: its file name without ending, and what it shows."""

    name: str
    caption: str


@dataclass(frozen=True, slots=True)
class Section:
    """`body` is Markdown; `command` measures the section again, `facts` say on what, `headline` the main result."""

    title: str
    headline: str
    facts: Mapping[str, object]
    command: str
    body: str
    figures: tuple[Figure, ...]


def page(title: str, sections: Sequence[Section], left_out: Sequence[str], *, with_pictures: bool) -> str:
    """The whole report; `left_out` are lines on what would have been measured with further options."""
    missing = "".join(f"- {line}\n" for line in left_out)
    parts = "".join(_section(section, with_pictures=with_pictures) for section in sections)
    return f"# {title}\n{parts}" + (f"\n## Left out\n\n{missing}" if missing else "")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Names in the first column, numbers in the others."""
    lines = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"| {' | '.join(columns)} |\n|---|{'---:|' * (len(columns) - 1)}\n{lines}"


def number(value: float | None) -> str:
    """Three decimals, a dash for none."""
    return "–" if value is None else f"{value:.3f}"


def share(value: float) -> str:
    """In per cent."""
    return f"{value:.1%}"


def spanned(interval: Interval) -> str:
    """A value and the ends of its interval."""
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _section(section: Section, *, with_pictures: bool) -> str:
    said = "".join(f"- {name.replace('_', ' ')}: {value}\n" for name, value in section.facts.items())
    shown = "".join(
        f"\n![{figure.caption}]({figure.name}.png)\n\n{figure.caption}; made by `{section.command}`\n"
        for figure in section.figures
        if with_pictures
    )
    return (
        f"\n## {section.title}\n\n**{section.headline}**\n\n- command: `{section.command}`\n{said}\n"
        f"{section.body.strip()}\n{shown}"
    )

"""The house style of every picture: colours, marks, letters, and files that are the same each time.

The colours are Okabe and Ito's (2008), which readers tell apart whatever they see of colour; each comes with a marker,
a dash and a hatch, so that a print in grey tells as much. What draws needs matplotlib: the extra `plots` brings it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DOTS_PER_INCH = 150

FORMATS = ("png", "svg")
"""The endings that a picture is written with: one for pages that embed it, one for print."""

SMALL = 9
"""Points of the smallest letters beside the axes; within them numbers go down to 8."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one series is drawn; any of the four alone tells it from the others."""

    colour: str
    marker: str
    dashes: str | tuple[int, tuple[float, ...]]
    hatch: str


LOOKS: tuple[Look, ...] = (
    Look("#0072B2", "o", "-", ""),  # blue
    Look("#D55E00", "s", "--", "///"),  # vermilion
    Look("#009E73", "^", "-.", "..."),  # green
    Look("#CC79A7", "D", ":", "xxx"),  # purple
    Look("#E69F00", "v", (0, (5, 1)), "---"),  # orange
    Look("#56B4E9", "P", (0, (3, 1, 1, 1, 1, 1)), "ooo"),  # sky
    Look("#000000", "X", (0, (1, 3)), "\\\\\\"),  # black
)
"""In the order in which they are taken; yellow, the eighth, is lost on white paper."""

INK, GREY, GRID = "#222222", "#767676", "#D9D9D9"
"""Letters and frames; bounds and chance, which are nobody's series; lines to read values by."""

SHADES = "Blues"
"""The map of shares and counts: one hue that only gets darker, so that grey keeps its order."""


def look(place: int) -> Look:
    """That of the series at `place`; they begin again after the last."""
    return LOOKS[place % len(LOOKS)]


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def picture_style() -> AbstractContextManager[None]:
    """Fonts, colours and frames while a picture is drawn and saved."""
    from matplotlib import rc_context

    return rc_context(
        {
            # Without a salt the same picture would be another file each time; letters as paths need no font.
            "svg.hashsalt": "surefoot",
            "svg.fonttype": "path",
            "font.size": 10,
            "axes.titlesize": 10.5,
            "axes.labelsize": 10,
            "xtick.labelsize": SMALL,
            "ytick.labelsize": SMALL,
            "legend.fontsize": SMALL,
            "legend.frameon": False,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "grid.color": GRID,
            "grid.linewidth": 0.6,
            "hatch.linewidth": 0.6,
            "lines.linewidth": 1.6,
            "lines.markersize": 5,
        }
    )


def in_per_cent(axes: Axes) -> None:
    """Write the values of the y axis, which are shares, in per cent."""
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")


def picture_paths(directory: Path, name: str) -> list[Path]:
    """A picture's files in a directory, one for each of `FORMATS`."""
    return [directory / f"{name}.{ending}" for ending in FORMATS]


def save_picture(figure: Figure, paths: Sequence[Path], *, dots_per_inch: int = _DOTS_PER_INCH) -> None:
    """Write it into each of `paths`, whose endings say the format (.png, .svg); without a date or a version."""
    for path in paths:
        metadata = {"Date": None, "Creator": None} if path.suffix == ".svg" else {"Software": None}
        figure.savefig(path, dpi=dots_per_inch, metadata=metadata)

"""How pictures look and are written: the same picture is the same file each time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DOTS_PER_INCH = 150


def can_draw() -> bool:
    """Whether matplotlib is installed, which the extra `plots` brings."""
    return find_spec("matplotlib") is not None


def picture_style() -> AbstractContextManager[None]:
    """Fonts and frames while a picture is drawn and saved. Needs matplotlib."""
    from matplotlib import rc_context

    # Without a salt the same picture would be another file each time.
    return rc_context(
        {"svg.hashsalt": "surefoot", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False}
    )


def save_picture(figure: Figure, paths: Sequence[Path]) -> None:
    """Write it into each of `paths`, whose endings say the format (.png, .svg); without a date."""
    for path in paths:
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, dpi=_DOTS_PER_INCH, metadata=metadata)

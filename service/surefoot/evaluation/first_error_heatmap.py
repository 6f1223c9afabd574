"""The confusion of first errors as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from surefoot.evaluation.first_error_measures import AtThreshold, FirstErrorMeasures
from surefoot.evaluation.first_error_report import positions
from surefoot.evaluation.pictures import SHADES, SMALL, picture_style, save_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DARK = 0.55
"""Above that share a cell is so dark that its number is written in white."""


def draw_confusion(measures: FirstErrorMeasures, title: str, paths: Sequence[Path]) -> None:
    """Write one map for each threshold into each of `paths`, whose endings say the format (.png, .svg).

    Needs matplotlib.
    """
    from matplotlib.figure import Figure

    with picture_style():
        figure = Figure(figsize=(5.6 * len(measures.at), 5.8), layout="constrained")
        figure.suptitle(f"{title}\nstep-level AUROC {measures.auroc:.3f}")
        for axes, at in zip(figure.subplots(1, len(measures.at), squeeze=False)[0], measures.at, strict=True):
            draw_map(axes, at, f"threshold {at.threshold:.3f}")
        save_picture(figure, paths)


def draw_map(axes: Axes, at: AtThreshold, title: str) -> None:
    """One map, each row shaded by its own shares; accuracies and F1 are added to the title."""
    counts = np.array(at.confusion)
    # Each row by itself: early errors are more frequent than late ones, and would outshine them.
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1, aspect="auto")
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > _DARK else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=SMALL - 1)
    names = positions(at)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("found first error: step, from 0")
    axes.set_ylabel("true first error (shade: share of its row)")
    axes.set_title(f"{title}: F1 {at.f1:.1%}\nerroneous {at.accuracy_erroneous:.1%}, correct {at.accuracy_correct:.1%}")

"""The plot of best-of-N accuracy against N."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.evaluation.best_of_n_curves import LINES, Curve, LineName
from surefoot.evaluation.pictures import GREY, LOOKS, Look, in_per_cent, picture_style, save_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Models are drawn through, what only counts votes or draws is dashed; the bounds, which are no choice, are grey.
_LOOKS: Mapping[LineName, Look] = {
    "prm_prod": replace(LOOKS[0], dashes="-"),
    "prm_min": replace(LOOKS[5], dashes="-"),
    "prm_last": replace(LOOKS[2], dashes="-"),
    "prm_mean": replace(LOOKS[3], dashes="-"),
    "orm": replace(LOOKS[1], dashes="-"),
    "prm_weighted": replace(LOOKS[4], dashes="--"),
    "majority": replace(LOOKS[6], dashes="--"),
    "random": Look(GREY, "", ":", ""),
    "oracle": Look(GREY, "", "-.", ""),
}


def draw_curves(curves: Sequence[Curve], title: str, paths: Sequence[Path]) -> None:
    """Write the plot into each of `paths`, whose endings say the format (.png, .svg). Needs matplotlib."""
    from matplotlib.figure import Figure

    with picture_style():
        figure = Figure(figsize=(8.5, 5.2), layout="constrained")
        axes = figure.subplots()
        # In the order of the last points, as the eye meets the lines.
        for curve in sorted(curves, key=lambda curve: -curve.points[-1].accuracy):
            _draw_curve(axes, curve)
        sizes = [point.n for point in curves[0].points]
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        in_per_cent(axes)
        axes.grid(axis="y")
        axes.set_xlabel("N: candidates to choose from")
        axes.set_ylabel("problems whose chosen candidate is right")
        axes.set_title(f"{title}\nbands: one standard deviation from draw to draw")
        figure.legend(loc="outside right center")
        save_picture(figure, paths)


def _draw_curve(axes: Axes, curve: Curve) -> None:
    own = _LOOKS[curve.line]
    sizes = [point.n for point in curve.points]
    accuracy = [point.accuracy for point in curve.points]
    title = LINES[curve.line].title
    axes.plot(sizes, accuracy, color=own.colour, marker=own.marker, linestyle=own.dashes, label=title)
    low = [max(0.0, point.accuracy - point.spread) for point in curve.points]
    high = [min(1.0, point.accuracy + point.spread) for point in curve.points]
    axes.fill_between(sizes, low, high, color=own.colour, alpha=0.12, linewidth=0)

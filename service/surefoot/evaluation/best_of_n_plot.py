"""The plot of best-of-N accuracy against N."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.evaluation.best_of_n_curves import LINES, Curve, LineName
from surefoot.evaluation.pictures import picture_style, save_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's palette, which colour-blind readers tell apart; the bounds are grey. Marker and dashes tell the lines
# apart where colours do not.
_LOOKS: Mapping[LineName, tuple[str, str, str]] = {
    "prm_prod": ("#0072B2", "o", "-"),
    "prm_min": ("#56B4E9", "v", "-"),
    "prm_last": ("#009E73", "^", "-"),
    "prm_mean": ("#CC79A7", "s", "-"),
    "orm": ("#D55E00", "D", "-"),
    "prm_weighted": ("#E69F00", "P", "--"),
    "majority": ("#000000", "X", "--"),
    "random": ("#777777", "", ":"),
    "oracle": ("#777777", "", "-."),
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
        axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
        axes.set_xlabel("N: candidates to choose from")
        axes.set_ylabel("problems whose chosen candidate is right")
        axes.set_title(f"{title}\nbands: one standard deviation from draw to draw", fontsize=10)
        figure.legend(loc="outside right center", fontsize=9, frameon=False)
        save_picture(figure, paths)


def _draw_curve(axes: Axes, curve: Curve) -> None:
    colour, marker, dashes = _LOOKS[curve.line]
    sizes = [point.n for point in curve.points]
    accuracy = [point.accuracy for point in curve.points]
    title = LINES[curve.line].title
    axes.plot(sizes, accuracy, color=colour, marker=marker, linestyle=dashes, markersize=5, label=title)
    low = [max(0.0, point.accuracy - point.spread) for point in curve.points]
    high = [min(1.0, point.accuracy + point.spread) for point in curve.points]
    axes.fill_between(sizes, low, high, color=colour, alpha=0.12, linewidth=0)

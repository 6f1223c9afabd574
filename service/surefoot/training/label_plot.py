"""The plot of measures against the number of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.evaluation.pictures import picture_style, save_picture
from surefoot.training.label_efficiency import TITLES, Lines, Measure, Point, headline
from surefoot.training.rounds import Choosing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of Okabe and Ito's palette; marker and dashes tell the lines apart where colours do not.
_LOOKS: Mapping[Choosing, tuple[str, str, str]] = {
    "convincing": ("#0072B2", "o", "-"),
    "uniform": ("#D55E00", "s", "--"),
}


def draw_measures(lines: Lines, paths: Sequence[Path]) -> None:
    """Write the plot into each of `paths`, whose endings say the format (.png, .svg). Needs matplotlib."""
    from matplotlib.figure import Figure

    with picture_style():
        figure = Figure(figsize=(10.5, 3.8), layout="constrained")
        for axes, measure in zip(figure.subplots(1, len(TITLES)), TITLES, strict=True):
            for how, points in lines.items():
                _draw_line(axes, how, points, measure)
            numbers = sorted({point.num_labels for points in lines.values() for point in points})
            axes.set_xscale("log")
            axes.set_xticks(numbers, [str(number) for number in numbers])
            axes.minorticks_off()
            if measure != "loss":
                axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
            axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
            axes.set_xlabel("labelled solutions")
            axes.set_title(TITLES[measure], fontsize=10)
            if axes.lines:
                axes.legend(fontsize=9, frameon=False)
        figure.suptitle(headline(lines), fontsize=10)
        save_picture(figure, paths)


def _draw_line(axes: Axes, how: Choosing, points: Sequence[Point], measure: Measure) -> None:
    known = [(point.num_labels, point.measures[measure]) for point in points if measure in point.measures]
    if known:
        colour, marker, dashes = _LOOKS[how]
        numbers, values = zip(*known, strict=True)
        axes.plot(numbers, values, color=colour, marker=marker, linestyle=dashes, markersize=5, label=how)

"""The plot of measures against the number of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.evaluation.pictures import LOOKS, Look, in_per_cent, picture_style, save_picture
from surefoot.training.label_efficiency import TITLES, Lines, Measure, Point, headline
from surefoot.training.rounds import Choosing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOOKS: Mapping[Choosing, Look] = {"convincing": LOOKS[0], "uniform": LOOKS[1]}


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
                in_per_cent(axes)
            axes.grid(axis="y")
            axes.set_xlabel("labelled solutions")
            axes.set_title(TITLES[measure])
            if axes.lines:
                axes.legend()
        figure.suptitle(headline(lines))
        save_picture(figure, paths)


def _draw_line(axes: Axes, how: Choosing, points: Sequence[Point], measure: Measure) -> None:
    known = [(point.num_labels, point.measures[measure]) for point in points if measure in point.measures]
    if known:
        own = _LOOKS[how]
        numbers, values = zip(*known, strict=True)
        axes.plot(numbers, values, color=own.colour, marker=own.marker, linestyle=own.dashes, label=how)

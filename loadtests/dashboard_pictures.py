"""Panels of the dashboard drawn from what a Prometheus answers to their own queries. Needs matplotlib."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from loadtests.dashboard_panels import Panel, Query
from surefoot.evaluation.pictures import GREY, LOOKS, SHADES, look, picture_style, save_picture

COLUMNS = 3
WIDTH, HEIGHT = 4.6, 2.6
"""Inches of a panel."""
MOST_NAMED = 9
"""Series that a legend names; a picture cannot be hovered over."""
MOST_LETTERS = 66
"""Letters that fit below a panel."""
_LETTERS = 7.5
"""Points; as many panels as a row has would not fit with the house's own size."""
_DOTS_PER_INCH = 110

Ask = Callable[[str], list[dict[str, Any]]]
"""Gives the series of an expression over the time that is shown."""


@dataclass(frozen=True, slots=True)
class Unit:
    """How a value is written, and what the axis is called."""

    label: str
    write: Callable[[float], str]


def _short(value: float) -> str:
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{letter}"
    return f"{value:.3g}"


def _bytes(value: float) -> str:
    for power, name in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if abs(value) >= 1024**power:
            return f"{value / 1024**power:.3g} {name}"
    return f"{value:.0f} B"


def _seconds(value: float) -> str:
    return f"{value * 1000:.3g} ms" if abs(value) < 1 else f"{value:.3g} s"


UNITS: Mapping[str, Unit] = {
    "reqps": Unit("requests a second", _short),
    "ops": Unit("a second", _short),
    "s": Unit("", _seconds),
    "percentunit": Unit("", lambda value: f"{value * 100:.3g} %"),
    "bytes": Unit("", _bytes),
    "short": Unit("", _short),
}


def draw_row(panels: Sequence[Panel], ask: Ask, between: tuple[float, float], paths: Sequence[Path]) -> None:
    """The panels of a row, side by side in threes; times are seconds since the first of two Unix times."""
    begin, end = between
    num_rows = math.ceil(len(panels) / COLUMNS)
    with picture_style():
        figure = Figure(figsize=(COLUMNS * WIDTH, num_rows * HEIGHT), layout="constrained")
        axes = figure.subplots(num_rows, COLUMNS, squeeze=False).flat
        for place, panel in zip(axes, panels, strict=False):
            place.set_title(panel.title, fontsize=9, fontweight="bold", loc="left")
            (_draw_heatmap if panel.kind == "heatmap" else _draw_lines)(place, panel, ask, begin)
            place.set_xlim(0, end - begin)
            place.set_xlabel("seconds", fontsize=_LETTERS, loc="right", labelpad=0)
            place.tick_params(labelsize=_LETTERS)
        for place in list(figure.axes)[len(panels) :]:
            place.set_visible(False)
        save_picture(figure, paths, dots_per_inch=_DOTS_PER_INCH)


def _draw_lines(place: Axes, panel: Panel, ask: Ask, begin: float) -> None:
    series = [(query.name_of(one["metric"]), one["values"]) for query in panel.queries for one in ask(query.expression)]
    unit = UNITS[panel.unit]
    drawn = [(name, *_points(values, begin)) for name, values in series]
    drawn = [each for each in drawn if np.isfinite(each[2]).any()]
    for number, (name, times, values) in enumerate(drawn):
        own = look(number)
        # Behind the seventh line colours and marks begin again, with other dashes.
        marks = {"marker": own.marker, "markevery": max(1, len(times) // 4), "markersize": 3.5}
        dashes = look(number + number // len(LOOKS)).dashes
        place.plot(times, values, color=own.colour, linestyle=dashes, label=name, linewidth=1.2, clip_on=False, **marks)
    _frame(place, unit)
    if not drawn:
        _say_empty(place)
        return
    if all(np.nanmin(values) >= 0 for _, _, values in drawn):
        # A line at nought would otherwise have an axis of its own making.
        place.set_ylim(0, None if any(np.nanmax(values) > 0 for _, _, values in drawn) else 1)
    handles, labels = place.get_legend_handles_labels()
    names = labels[:MOST_NAMED]
    columns = next((number for number in (3, 2) if number * max(map(len, names)) <= MOST_LETTERS), 1)
    below = {"loc": "upper left", "bbox_to_anchor": (0, -0.12), "borderaxespad": 0}
    place.legend(handles[:MOST_NAMED], names, fontsize=_LETTERS - 0.5, ncols=columns, **below)


def _draw_heatmap(place: Axes, panel: Panel, ask: Ask, begin: float) -> None:
    """Buckets hold what is at most their bound: each row of the picture is a bucket less the one below."""
    [query] = panel.queries
    times, bounds, counts = buckets_of(query, ask, begin)
    if not len(times):
        _say_empty(place)
        return
    place.pcolormesh(times, np.arange(len(bounds)), counts, cmap=SHADES, shading="nearest", rasterized=True)
    shown = range(0, len(bounds), 2)
    place.set_yticks(shown, [f"≤ {bounds[row]:g}" for row in shown])


def _say_empty(place: Axes) -> None:
    place.set_yticks([])
    place.text(0.5, 0.5, "no data", transform=place.transAxes, ha="center", color=GREY, fontsize=9)


def buckets_of(query: Query, ask: Ask, begin: float) -> tuple[Any, list[float], Any]:
    """Times, bounds, and counts [bounds, times]."""
    by_bound = {float(one["metric"]["le"]): one["values"] for one in ask(query.expression)}
    if not by_bound:
        return np.zeros(0), [], np.zeros((0, 0))
    bounds = sorted(by_bound)
    stamps = sorted({float(stamp) for values in by_bound.values() for stamp, _ in values})
    cumulative = np.zeros((len(bounds), len(stamps)))
    for row, bound in enumerate(bounds):
        found = {float(stamp): float(value) for stamp, value in by_bound[bound]}
        cumulative[row] = [found.get(stamp, 0.0) for stamp in stamps]
    counts = np.diff(cumulative, axis=0, prepend=0)
    keep = [row for row, bound in enumerate(bounds) if math.isfinite(bound) or counts[row].any()]
    return np.array(stamps) - begin, [bounds[row] for row in keep], counts[keep]


def _points(values: Sequence[tuple[float, str]], begin: float) -> tuple[Any, Any]:
    points = np.array([(float(stamp), float(value)) for stamp, value in values])
    return points[:, 0] - begin, points[:, 1]


def _frame(place: Axes, unit: Unit) -> None:
    place.yaxis.set_major_locator(MaxNLocator(5))
    place.yaxis.set_major_formatter(FuncFormatter(lambda value, _: unit.write(value)))
    place.set_ylabel(unit.label, fontsize=_LETTERS)
    place.grid(axis="y", linewidth=0.3)

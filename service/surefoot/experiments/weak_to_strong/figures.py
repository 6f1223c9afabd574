"""The figures of a report: thin, so that the house's style does the rest. All of them need matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from surefoot.evaluation.pictures import GREY, INK, look, picture_paths, picture_style, save_picture
from surefoot.evaluation.weak_supervision import Spread
from surefoot.experiments.weak_to_strong.plan import Scheme
from surefoot.experiments.weak_to_strong.results import StudentResult, mean_agreement

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SCHEMES: Sequence[Scheme] = get_args(Scheme)
_MARKS: Mapping[Scheme, tuple[str, str]] = {
    scheme: (look(place).colour, look(place).marker) for place, scheme in enumerate(_SCHEMES)
}
_WEAK, _CEILING = GREY, INK
_STEP = 0.11
_MOST_COLUMNS = 3

CAPTIONS: Mapping[str, str] = {
    "accuracy": "Accuracy of supervisor, students and ceiling by pair; bars: one standard deviation over seeds.",
    "pgr": "Performance gap recovered by pair, of the mean accuracies; none where the gap is too small to tell.",
    "imitation": "Agreement with the supervisor on test items where it is right (filled) and wrong (hollow).",
    "curves": "Naive students during their training: accuracy on test items, and agreement with the weak labels of "
    "validation items; the mean over seeds.",
    "calibration": "Expected calibration error of the students; the grey line is their supervisor's.",
}
"""The figures by their files' names, and what they show."""


def draw_all(found: Sequence[StudentResult], directory: Path) -> None:
    """Write every figure as PNG and SVG into `directory`."""
    drawers: Mapping[str, Callable[[Axes, Sequence[StudentResult]], None]] = {
        "accuracy": _draw_accuracy,
        "pgr": _draw_pgr,
        "imitation": _draw_imitation,
        "curves": _draw_curves,
        "calibration": _draw_calibration,
    }
    labels = {
        "accuracy": "accuracy",
        "pgr": "PGR",
        "imitation": "agreement",
        "curves": "share of items",
        "calibration": "ECE",
    }
    for name, draw in drawers.items():
        with picture_style():
            figure = _panels(found, draw, labels[name], by_pair=name != "curves")
            save_picture(figure, picture_paths(directory, name))


def _panels(
    found: Sequence[StudentResult],
    draw: Callable[[Axes, Sequence[StudentResult]], None],
    label: str,
    *,
    by_pair: bool,
) -> Figure:
    """One panel a task, side by side as far as a page is wide."""
    from matplotlib.figure import Figure

    tasks = [(task, list(some)) for task, some in groupby(sorted(found, key=lambda each: each.task), lambda e: e.task)]
    columns = min(len(tasks), _MOST_COLUMNS)
    rows = -(-len(tasks) // columns)
    figure = Figure(figsize=(2.2 + 3.4 * columns, 0.6 + 3.6 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for spare in panels[len(tasks) :]:
        spare.remove()
    for axes, (task, some) in zip(panels[: len(tasks)], tasks, strict=True):
        draw(axes, some)
        axes.set_title(task)
        axes.set_ylabel(label)
        axes.grid(axis="y")
        if by_pair:
            names = _pairs(some)
            axes.set_xticks(range(len(names)), names)
            axes.set_xlim(-0.6, len(names) - 0.4)
            axes.set_xlabel("layers of supervisor → student")
    known = {text: mark for axes in figure.axes for mark, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(known.values(), known.keys(), loc="outside upper center", ncols=4 if by_pair else 2)
    return figure


def _draw_accuracy(axes: Axes, found: Sequence[StudentResult]) -> None:
    for each, place in _places(found):
        colour, marker = _MARKS[each.scheme]
        _mark(axes, place, each.student(), colour, marker, each.scheme)
    for place, name in enumerate(_pairs(found)):
        one = next(each for each in found if _pair(each) == name)
        for value, colour, marker, label in (
            (one.weak, _WEAK, "X", "supervisor"),
            (one.ceiling, _CEILING, "*", "ceiling"),
        ):
            axes.hlines(value.mean, place - 0.4, place + 0.4, color=colour, linestyle=":", linewidth=1)
            _mark(axes, place - 0.4, value, colour, marker, label)


def _draw_pgr(axes: Axes, found: Sequence[StudentResult]) -> None:
    axes.axhline(0, color=_WEAK, linestyle="--", linewidth=1)
    axes.axhline(1, color=_CEILING, linestyle="--", linewidth=1)
    for each, place in _places(found):
        # A share of next to nothing is any number, and would leave the others no room.
        if each.pgr_of_means is not None and each.is_clear:
            colour, marker = _MARKS[each.scheme]
            axes.plot([place], [each.pgr_of_means], marker, color=colour, label=each.scheme)
    for place, name in enumerate(_pairs(found)):
        if not any(each.is_clear for each in found if _pair(each) == name):
            axes.text(place, 0.5, "gap too small", color=_WEAK, ha="center")


def _draw_imitation(axes: Axes, found: Sequence[StudentResult]) -> None:
    for each, place in _places(found):
        colour, marker = _MARKS[each.scheme]
        for part, filled in (("where_right", colour), ("where_wrong", "none")):
            value = mean_agreement(each, part)
            if value is not None:
                label = each.scheme if part == "where_right" else None
                axes.plot([place], [value], marker, color=colour, markerfacecolor=filled, label=label)


def _draw_curves(axes: Axes, found: Sequence[StudentResult]) -> None:
    naive = [each for each in found if each.scheme == "naive"]
    for each, (colour, marker) in zip(naive, _MARKS.values(), strict=False):
        epochs = [moment["epoch"] for moment in each.seeds[0].curve]
        for name, dashes in (("test_accuracy", "-"), ("validation_agreement", ":")):
            means = np.mean([[moment[name] for moment in seed.curve] for seed in each.seeds], axis=0)
            what = "accuracy" if name == "test_accuracy" else "agreement with the labels"
            axes.plot(epochs, means, dashes, marker=marker, color=colour, label=f"{_pair(each)}, {what}")
    axes.set_xlabel("epochs")


def _draw_calibration(axes: Axes, found: Sequence[StudentResult]) -> None:
    for each, place in _places(found):
        colour, marker = _MARKS[each.scheme]
        values = [seed.error for seed in each.seeds]
        axes.plot([place], [float(np.mean(values))], marker, color=colour, label=each.scheme)
    for place, name in enumerate(_pairs(found)):
        one = next(each for each in found if _pair(each) == name)
        weak = float(np.mean([seed.weak_error for seed in one.seeds]))
        axes.hlines(weak, place - 0.4, place + 0.4, color=_WEAK, linestyle=":", label="supervisor")


def _mark(axes: Axes, place: float, value: Spread, colour: str, marker: str, label: str) -> None:
    axes.errorbar([place], [value.mean], [value.deviation], color=colour, marker=marker, linestyle="none", label=label)


def _pair(each: StudentResult) -> str:
    return f"{each.pair.weak} → {each.pair.strong}"


def _pairs(found: Sequence[StudentResult]) -> list[str]:
    return list(dict.fromkeys(_pair(each) for each in found))


def _places(found: Sequence[StudentResult]) -> list[tuple[StudentResult, float]]:
    """Beside each other within a pair, in the order of the schemes."""
    names, schemes = _pairs(found), list(_SCHEMES)
    return [
        (each, names.index(_pair(each)) + _STEP * (schemes.index(each.scheme) - (len(schemes) - 1) / 2))
        for each in found
    ]

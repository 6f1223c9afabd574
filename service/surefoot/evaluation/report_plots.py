"""The pictures of an evaluation report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.evaluation.bootstrap import LEVEL, Interval
from surefoot.evaluation.first_error_heatmap import draw_map
from surefoot.evaluation.first_error_measures import FirstErrorMeasures
from surefoot.evaluation.pictures import GREY, LOOKS, SMALL, Look, picture_style, save_picture
from surefoot.evaluation.scored_solution import STEP_SCORERS, StepScorer
from surefoot.evaluation.step_discrimination import StepGroup

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOOKS: Mapping[StepScorer, Look] = {"prm": LOOKS[0], "checks": LOOKS[1], "both": LOOKS[2]}
_VALUES = LOOKS[0]
_ROW_HEIGHT = 0.34


def draw_step_groups(groups: Sequence[StepGroup], paths: Sequence[Path]) -> None:
    """AUROC by kind of error, one mark for each way to score steps. Needs matplotlib, as all functions here."""
    from matplotlib.figure import Figure

    with picture_style():
        figure = Figure(figsize=(8, 1.6 + _ROW_HEIGHT * 1.4 * len(groups)), layout="constrained")
        axes = figure.subplots()
        for offset, (scorer, title) in enumerate(STEP_SCORERS.items()):
            mark = _LOOKS[scorer]
            found = [(row, group.auroc[scorer]) for row, group in enumerate(groups)]
            known = [(row + 0.2 * (offset - 1), value) for row, value in found if value is not None]
            if known:
                values, rows = [value for _, value in known], [row for row, _ in known]
                axes.plot(values, rows, mark.marker, color=mark.colour, label=title)
        names = [f"{group.name.replace('_', ' ')} ({group.num_wrong})" for group in groups]
        _finish(axes, names, "AUROC of wrong steps of that kind (their number) against right ones", 0.5)
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside upper center", ncols=len(STEP_SCORERS))
        save_picture(figure, paths)


def draw_confusions(found: Mapping[StepScorer, FirstErrorMeasures], paths: Sequence[Path]) -> None:
    """A heat map of true and found first errors for each way to score steps."""
    from matplotlib.figure import Figure

    with picture_style():
        figure = Figure(figsize=(5.2 * len(found), 5.4), layout="constrained")
        for axes, (scorer, measures) in zip(
            figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True
        ):
            draw_map(axes, measures.at[0], STEP_SCORERS[scorer])
        save_picture(figure, paths)


def draw_intervals(found: Mapping[str, Interval], label: str, chance: float, paths: Sequence[Path]) -> None:
    """Values with their intervals by name, the first on top; a dashed line at `chance`."""
    from matplotlib.figure import Figure

    with picture_style():
        figure = Figure(figsize=(8, 1.2 + _ROW_HEIGHT * len(found)), layout="constrained")
        axes = figure.subplots()
        for row, each in enumerate(found.values()):
            axes.plot([each.low, each.high], [row, row], color=_VALUES.colour, linestyle="-", linewidth=2, alpha=0.5)
            axes.plot([each.value], [row], _VALUES.marker, color=_VALUES.colour, markersize=6)
            axes.annotate(
                f"{each.value:.3f}",
                (each.value, row),
                (0, 5),
                textcoords="offset points",
                ha="center",
                fontsize=SMALL - 1,
            )
        _finish(axes, list(found), f"{label}\nbars: {LEVEL:.0%} interval over problems; dashed: chance", chance)
        save_picture(figure, paths)


def _finish(axes: Axes, names: Sequence[str], label: str, chance: float) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.7)
    axes.axvline(chance, color=GREY, linestyle="--", linewidth=1)
    axes.grid(axis="x")
    axes.set_xlabel(label)

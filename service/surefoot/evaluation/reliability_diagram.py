"""The reliability diagram: how often steps are right against how sure the model is of them, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.evaluation.calibration import Change, Measures
from surefoot.evaluation.pictures import INK, LOOKS, SMALL, picture_style, save_picture
from surefoot.evaluation.reliability import NUM_BINS, Bin

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Bars so light that the gap is seen on them, in grey too.
_OBSERVED, _GAP = LOOKS[5], LOOKS[1]


def draw_reliability(change: Change, title: str, paths: Sequence[Path]) -> None:
    """Write the diagram into each of `paths`, whose endings say the format (.png, .svg). Needs matplotlib."""
    from matplotlib.figure import Figure

    with picture_style():
        figure = Figure(figsize=(10, 6.2), layout="constrained")
        figure.suptitle(title)
        axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(3, 1))
        for column, (name, measures) in enumerate((("before", change.before), ("after", change.after))):
            _draw_accuracy(axes[0][column], name, measures)
            _draw_counts(axes[1][column], measures)
        axes[0][0].set_ylabel("share of steps labelled right")
        axes[1][0].set_ylabel("steps")
        # Below everything: within the axes it would hide a bar.
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        save_picture(figure, paths)


def _draw_accuracy(axes: Axes, name: str, measures: Measures) -> None:
    bins = measures.bins
    axes.plot([0, 1], [0, 1], color=INK, linestyle="--", linewidth=1, label="perfectly calibrated")
    axes.bar(
        _middles(bins),
        [part.accuracy for part in bins],
        width=0.9 / NUM_BINS,
        color=_OBSERVED.colour,
        label="labelled right",
    )
    axes.vlines(
        [part.confidence for part in bins],
        [min(part.accuracy, part.confidence) for part in bins],
        [max(part.accuracy, part.confidence) for part in bins],
        color=_GAP.colour,
        linewidth=2,
        label="gap to the mean score",
    )
    axes.plot(
        [part.confidence for part in bins],
        [part.confidence for part in bins],
        _GAP.marker,
        color=_GAP.colour,
        markersize=4,
    )
    axes.axvline(measures.threshold, color=INK, linestyle=":", linewidth=1.2, label="threshold")
    axes.set_title(
        f"{name}: temperature {measures.temperature:.3g}\n"
        f"ECE {measures.ece:.3f}, Brier {measures.brier:.3f}, first-error F1 {measures.f1:.1%}"
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)


def _draw_counts(axes: Axes, measures: Measures) -> None:
    bars = axes.bar(_middles(measures.bins), [part.count for part in measures.bins], width=0.9 / NUM_BINS, color=INK)
    axes.bar_label(bars, fontsize=SMALL - 1, padding=1)
    axes.margins(y=0.2)
    axes.set_xlabel("score: probability that the step is right")


def _middles(bins: Sequence[Bin]) -> list[float]:
    return [(part.low + part.high) / 2 for part in bins]

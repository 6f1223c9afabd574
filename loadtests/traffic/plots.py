"""Plots of outcomes over the time of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from loadtests.traffic.bench import Result
from surefoot.evaluation.pictures import GREY, LOOKS, picture_paths, picture_style, save_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOOK_OF = dict(zip(("answered", "refused", "failed", "unreached", "lost"), LOOKS, strict=False))


def draw_latencies(results: Sequence[Result], folder: Path) -> None:
    """Each request's latency by when it was due, a panel for each scenario."""

    def draw(axis: Axes, result: Result) -> None:
        for fate, look in LOOK_OF.items():
            own = [each for each in result.outcomes if each.fate == fate]
            if own:
                times = [each.intended_s for each in own], [max(each.latency_s, 1e-3) for each in own]
                axis.scatter(*times, s=6, color=look.colour, marker=look.marker, label=fate, linewidths=0)
        axis.set_yscale("log")

    _draw(results, "latency, s", draw, picture_paths(folder, "latency"))


def draw_rates(results: Sequence[Result], folder: Path) -> None:
    """Requests a second that were due, and that were answered or refused in that second."""

    def draw(axis: Axes, result: Result) -> None:
        due = Counter(int(each.intended_s) for each in result.outcomes)
        seconds = range(max(due, default=0) + 1)
        axis.step(seconds, [due[second] for second in seconds], color=GREY, linewidth=0.8, label="due")
        for fate in ("answered", "refused"):
            look = LOOK_OF[fate]
            ended = Counter(int(each.ended_s) for each in result.outcomes if each.fate == fate)
            counts = [ended[second] for second in seconds]
            axis.plot(seconds, counts, color=look.colour, linestyle=look.dashes, label=fate)

    _draw(results, "requests a second", draw, picture_paths(folder, "rates"))


def _draw(results: Sequence[Result], label: str, draw: Callable[[Axes, Result], None], paths: Sequence[Path]) -> None:
    from matplotlib.figure import Figure

    columns = min(3, len(results))
    rows = -(-len(results) // columns)
    with picture_style():
        figure = Figure(figsize=(4 * columns, 2.8 * rows), layout="constrained")
        axes = list(figure.subplots(rows, columns, squeeze=False).flat)
        for spare in axes[len(results) :]:
            spare.set_visible(False)
        for axis, result in zip(axes, results, strict=False):
            axis.set(title=result.title, xlabel="seconds since the start", ylabel=label)
            draw(axis, result)
            axis.legend(markerscale=2)
        save_picture(figure, paths)

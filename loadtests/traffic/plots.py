"""Plots of outcomes over the time of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loadtests.traffic.bench import Result

COLORS = {
    "answered": "#1b7f79",
    "failed": "#b8860b",
    "refused": "#9aa5b1",
    "unreached": "#5b6770",
    "lost": "#c0392b",
}  # fmt: skip


def draw_latencies(results: Sequence[Result], path: Path) -> None:
    """Each request's latency by when it was due, a panel for each scenario."""
    figure, axes = _panels(results, "latency, s")
    for axis, result in zip(axes, results, strict=True):
        for fate, color in COLORS.items():
            own = [each for each in result.outcomes if each.fate == fate]
            if own:
                times = [each.intended_s for each in own], [max(each.latency_s, 1e-3) for each in own]
                axis.scatter(*times, s=5, color=color, label=fate, linewidths=0)
        axis.set_yscale("log")
        axis.legend(fontsize=7, markerscale=2, frameon=False)
    _save(figure, path)


def draw_rates(results: Sequence[Result], path: Path) -> None:
    """Requests a second that were due, and that were answered or refused in that second."""
    figure, axes = _panels(results, "requests/s")
    for axis, result in zip(axes, results, strict=True):
        due = Counter(int(each.intended_s) for each in result.outcomes)
        seconds = range(max(due, default=0) + 1)
        axis.step(seconds, [due[second] for second in seconds], color="#24303a", linewidth=0.8, label="due")
        for fate in ("answered", "refused"):
            ended = Counter(int(each.ended_s) for each in result.outcomes if each.fate == fate)
            axis.plot(seconds, [ended[second] for second in seconds], color=COLORS[fate], label=fate)
        axis.legend(fontsize=7, frameon=False)
    _save(figure, path)


def _panels(results: Sequence[Result], label: str) -> tuple[Any, list[Any]]:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    columns = min(3, len(results))
    rows = -(-len(results) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(4 * columns, 2.8 * rows), layout="constrained", squeeze=False)
    axes = list(grid.flat)
    for spare in axes[len(results) :]:
        spare.set_visible(False)
    for axis, result in zip(axes, results, strict=False):
        axis.set_title(result.title, fontsize=8)
        axis.set_xlabel("s", fontsize=8)
        axis.set_ylabel(label, fontsize=8)
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes[: len(results)]


def _save(figure: Any, path: Path) -> None:
    import matplotlib.pyplot as plt

    figure.savefig(path, dpi=130)
    plt.close(figure)

"""The curves of a training run: what was measured after each epoch, the first before training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.evaluation.pictures import GREY, INK, LOOKS, Look, in_per_cent, picture_style, save_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Epochs = Sequence[Mapping[str, float]]

_LOSSES: Mapping[str, tuple[str, Look]] = {
    "training_loss": ("training", LOOKS[1]),
    "loss": ("validation", LOOKS[0]),
}
_SHARES: Mapping[str, tuple[str, Look]] = {
    "accuracy": ("accuracy", LOOKS[0]),
    "auroc": ("AUROC", LOOKS[1]),
    "f1": ("first-error F1", LOOKS[2]),
}


def draw_training(epochs: Epochs, best: int, title: str, paths: Sequence[Path]) -> None:
    """Write losses, and shares where there are any, into each of `paths`, whose endings say the format (.png, .svg).

    `epochs[0]` was measured before training; a vertical line marks the `best`. Needs matplotlib.
    """
    from matplotlib.figure import Figure

    panels = [(_LOSSES, "loss, nats a target")]
    if any(name in measures for measures in epochs for name in _SHARES):
        panels.append((_SHARES, "of the validation rows"))
    with picture_style():
        figure = Figure(figsize=(4.6 * len(panels), 3.8), layout="constrained")
        figure.suptitle(title)
        for axes, (names, label) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            for name, (shown, own) in names.items():
                _draw_line(axes, epochs, name, shown, own)
            axes.axvline(best, color=GREY, linestyle=":", linewidth=1.2, label="kept: the best epoch")
            axes.set_xticks(range(len(epochs)) if len(epochs) <= _ALL_NAMED else _some(len(epochs)))
            axes.set_xlabel("epoch (0: before training)")
            axes.set_ylabel(label, color=INK)
            axes.grid(axis="y")
            axes.legend()
        if len(panels) > 1:
            figure.axes[1].set_ylim(0, 1)
            in_per_cent(figure.axes[1])
        save_picture(figure, paths)


_ALL_NAMED = 11


def _some(num_epochs: int) -> range:
    return range(0, num_epochs, -(-num_epochs // _ALL_NAMED))


def _draw_line(axes: Axes, epochs: Epochs, name: str, shown: str, own: Look) -> None:
    known = [(epoch, measures[name]) for epoch, measures in enumerate(epochs) if name in measures]
    if known:
        numbers, values = zip(*known, strict=True)
        axes.plot(numbers, values, color=own.colour, marker=own.marker, linestyle=own.dashes, label=shown)

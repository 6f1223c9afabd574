"""How far the scores of late have moved from those of a reference window."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_NUM_QUANTILES = 10
_PSEUDO_COUNT = 0.5


def population_stability_index(reference: Counts, recent: Counts) -> float:
    """PSI = sum over bins of (q - p) * ln(q / p), for the shares p of the reference and q of late; at least 0.

    It is the symmetric divergence of Kullback and Leibler ("On Information and Sufficiency", 1951), named and used for
    drift of scores by Siddiqi ("Credit Risk Scorecards", 2006): below 0.1 little has changed, above 0.25 much has.
    Without any change its mean is about (bins - 1) * (1 / n + 1 / m) for windows of n and m (Yurdakul, "Statistical
    Properties of Population Stability Index", 2018). Half a count in every bin keeps it finite where one is empty.
    """
    p = (reference + _PSEUDO_COUNT) / (reference + _PSEUDO_COUNT).sum()
    q = (recent + _PSEUDO_COUNT) / (recent + _PSEUDO_COUNT).sum()
    return float(np.sum((q - p) * np.log(q / p)))


class DriftWindow:
    """The first `num_reference` scores are the reference, the last `num_recent` behind them the recent window.

    Bins are the deciles of the reference, so that they fit any scale. A value on a border has a bin of its own: models
    that saturate give the same score again and again.
    """

    def __init__(self, num_reference: int, num_recent: int) -> None:
        self._num_reference = num_reference
        self._num_recent = num_recent
        self._first: list[float] = []
        self._borders: Floats | None = None
        self._reference: Counts = np.zeros(0, np.int64)
        self._counts: Counts = np.zeros(0, np.int64)
        self._recent: deque[int] = deque()

    def add(self, scores: Floats) -> None:
        """Further scores, in order."""
        room = self._num_reference - len(self._first)
        self._first.extend(scores[:room].tolist())
        if self._borders is None and len(self._first) == self._num_reference:
            first = np.array(self._first)
            self._borders = np.unique(np.quantile(first, np.arange(1, _NUM_QUANTILES) / _NUM_QUANTILES))
            self._reference = np.bincount(self._bins(first), minlength=2 * len(self._borders) + 1)
            self._counts = np.zeros_like(self._reference)
        if self._borders is None:
            return
        for index in self._bins(scores[max(room, 0) :]).tolist():
            self._recent.append(index)
            self._counts[index] += 1
            if len(self._recent) > self._num_recent:
                self._counts[self._recent.popleft()] -= 1

    def psi(self) -> float | None:
        """The population stability index; `None` until both windows are full."""
        if len(self._recent) < self._num_recent:
            return None
        return population_stability_index(self._reference, self._counts)

    def _bins(self, scores: Floats) -> Counts:
        """Even bins lie between borders, odd ones are the borders themselves."""
        if self._borders is None:
            raise ValueError("there are no bins before the reference is full")
        below = np.searchsorted(self._borders, scores, side="left")
        return (below + np.searchsorted(self._borders, scores, side="right")).astype(np.int64)

"""How well scores tell right from wrong, whatever the threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import LabelsDegenerate

Array = NDArray[Any]


def auroc(scores: Array, labels: Array) -> float:
    """Probability that a right one scores higher than a wrong one, ties counting half (Mann and Whitney 1947).

    `scores` and `labels` (of bool, true for right) are [n]. With R the sum of the right ones' ranks, ties at their mean
    rank: (R - n_right (n_right + 1) / 2) / (n_right · n_wrong). Raises `LabelsDegenerate` without both sorts.
    """
    num_right = int(labels.sum())
    num_wrong = len(labels) - num_right
    if num_right == 0 or num_wrong == 0:
        raise LabelsDegenerate("labels: AUROC needs right ones and wrong ones")
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(mean_ranks[places][labels].sum())
    return (rank_sum - num_right * (num_right + 1) / 2) / (num_right * num_wrong)

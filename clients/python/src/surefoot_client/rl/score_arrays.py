"""Results as arrays. There is no number for what failed: it has no place in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surefoot_client.scores import ItemFailure, ItemResult, raise_for_failures


@dataclass(frozen=True, slots=True, eq=False)
class ScoreArrays:
    """The scores of a batch of num_items items, of which num_scored have one.

    `scores`, float64 [num_scored], belong to the items at `indices`, int64 [num_scored]; the items at `failed`,
    int64 [num_items - num_scored], have none. Positions are those in the batch.
    """

    scores: NDArray[np.float64]
    indices: NDArray[np.int64]
    failed: NDArray[np.int64]


def score_array(results: Iterable[ItemResult | ItemFailure]) -> NDArray[np.float64]:
    """The score of each item, float64 [num_items]; raises `ItemsFailed` if one has none."""
    return np.array([result.score for result in raise_for_failures(results)], dtype=np.float64)


def score_arrays(results: Iterable[ItemResult | ItemFailure]) -> ScoreArrays:
    """The scores of those items that have one, and which those are."""
    listed = list(results)
    scored = [(place, result.score) for place, result in enumerate(listed) if isinstance(result, ItemResult)]
    failed = [place for place, result in enumerate(listed) if isinstance(result, ItemFailure)]
    return ScoreArrays(
        np.array([score for _, score in scored], dtype=np.float64),
        np.array([place for place, _ in scored], dtype=np.int64),
        np.array(failed, dtype=np.int64),
    )


def step_score_array(result: ItemResult) -> NDArray[np.float64]:
    """The score of each step, float64 [num_steps]."""
    return np.array([step.score for step in result.steps], dtype=np.float64)

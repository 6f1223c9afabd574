"""Judged solutions of a model whose scores are known."""

from collections.abc import Callable

import numpy as np
import pytest

from surefoot.evaluation.calibration import JudgedSolution


@pytest.fixture
def drawn() -> Callable[..., list[JudgedSolution]]:
    """Solutions of three steps whose logits are `temperature` times too large: P(right) = sigmoid(logit / T)."""

    def draw(number: int, *, temperature: float = 1.0, seed: int = 0) -> list[JudgedSolution]:
        generator = np.random.default_rng(seed)
        logits = generator.normal(1.0, 1.5, (number, 3))
        right = generator.random((number, 3)) < 1 / (1 + np.exp(-logits))
        return [
            JudgedSolution(
                tuple((float(logit * temperature), 0.0) for logit in logits[index]), tuple(right[index].tolist())
            )
            for index in range(number)
        ]

    return draw

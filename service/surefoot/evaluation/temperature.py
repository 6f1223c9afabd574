"""The temperature that makes a readout's probabilities fit labels best (Guo et al. 2017, arXiv 1706.04599)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from surefoot.domain import PROBABILITY_FLOOR
from surefoot.errors import LabelsDegenerate, ScaleNotProbability
from surefoot.profiles import Profile, TokenClassification, TokenContrast, ValueHead

Array = NDArray[Any]

LARGEST_FACTOR = 100.0
"""A temperature is sought from 1 / factor to factor times the profile's own."""

_GRID_POINTS = 41
_TOLERANCE = 1e-5
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
_LOG_ALMOST_ONE = math.log1p(-PROBABILITY_FLOOR)


@dataclass(frozen=True, slots=True)
class FittedTemperature:
    """`bound` says at which end of the search it is, if at one: the labels do not determine it then."""

    temperature: float
    bound: Literal["lower", "upper"] | None


def check_probability(profile: Profile) -> None:
    """Raises `ScaleNotProbability` where there is nothing to hold against a label."""
    if profile.scale != "probability":
        raise ScaleNotProbability(
            f"profile {profile.name!r} gives {profile.scale} scores: calibration needs a profile with "
            "scale = 'probability'",
            param="profile",
        )


def log_probabilities(profile: Profile, raw: Array, temperature: float) -> tuple[Array, Array]:
    """ln P(right) and ln P(wrong) of each step at a temperature, as `readout.read` has them, for many steps at once.

    `raw` is [steps, columns]; both results are [steps]. Without the rounding that makes 1 - p zero for a sure model.
    Raises `ScaleNotProbability`.
    """
    check_probability(profile)
    values = raw / temperature
    match profile.readout:
        case TokenContrast(normalise="vocabulary"):
            log_right = np.minimum(values[:, 0] - values[:, 2], _LOG_ALMOST_ONE)
            return log_right, np.log(-np.expm1(log_right))
        case (
            TokenContrast(classes=classes, neutral_is_positive=neutral_is_positive)
            | TokenClassification(classes=classes, neutral_is_positive=neutral_is_positive)
        ):
            counts_as_right = [name == "positive" or (name == "neutral" and neutral_is_positive) for name in classes]
        case ValueHead():
            # sigmoid(x) is a softmax over x and 0.
            values = np.concatenate([values, np.zeros_like(values)], axis=1)
            counts_as_right = [True, False]
        case _:
            raise ScaleNotProbability(
                f"readout.method {profile.readout.method!r} does not score steps", param="profile"
            )
    columns = np.array(counts_as_right)
    everything = np.logaddexp.reduce(values, axis=1)
    return (
        np.logaddexp.reduce(values[:, columns], axis=1) - everything,
        np.logaddexp.reduce(values[:, ~columns], axis=1) - everything,
    )


def negative_log_likelihood(profile: Profile, raw: Array, labels: Array, temperature: float) -> float:
    """Mean of -ln P(label), in nats a step. `labels` is [steps] of bool."""
    log_right, log_wrong = log_probabilities(profile, raw, temperature)
    return -float(np.where(labels, log_right, log_wrong).mean())


def fit_temperature(profile: Profile, raw: Array, labels: Array) -> FittedTemperature:
    """The temperature with the smallest negative log-likelihood; the profile's own where all are equally good.

    For two classes the likelihood is convex in 1 / T; for three it need not be, so a grid over ln T finds the valley
    before golden-section search finds its bottom. Raises `LabelsDegenerate` where all labels agree: the best
    temperature would then be a limit, not a number.
    """
    if len(labels) == 0 or labels.all() or not labels.any():
        raise LabelsDegenerate("labels: a temperature needs steps labelled right and steps labelled wrong")
    own = profile.readout.temperature

    def loss(log_factor: float) -> float:
        return negative_log_likelihood(profile, raw, labels, own * math.exp(log_factor))

    limit = math.log(LARGEST_FACTOR)
    spacing = 2 * limit / (_GRID_POINTS - 1)
    grid = [(index - _GRID_POINTS // 2) * spacing for index in range(_GRID_POINTS)]
    best = min(grid, key=lambda place: (loss(place), abs(place)))
    bottom = golden_section(loss, max(best - spacing, grid[0]), min(best + spacing, grid[-1]), _TOLERANCE)
    if loss(bottom) < loss(best):
        best = bottom
    if limit - abs(best) > spacing / 2:
        return FittedTemperature(own * math.exp(best), None)
    return FittedTemperature(own * math.exp(best), "lower" if best < 0 else "upper")


def golden_section(function: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Where a function with one valley between `low` and `high` is smallest, to within `tolerance` (Kiefer 1953)."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > tolerance:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return (low + high) / 2

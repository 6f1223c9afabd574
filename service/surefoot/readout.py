"""Raw values at readout positions to scores: activation, calibration and class meaning live here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surefoot.domain import Rows
from surefoot.errors import NonFiniteScore, StepCountMismatch
from surefoot.profiles import (
    Activation,
    GenerativeVerdict,
    LogRatio,
    Profile,
    SequenceScalar,
    StepClass,
    TokenClassification,
    TokenContrast,
    UnitMap,
    ValueHead,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one position says: the score, the values it came from, and class probabilities where there are classes."""

    score: float
    raw: tuple[float, ...]
    probabilities: Mapping[str, float] | None


def softmax(logits: Sequence[float], temperature: float = 1.0) -> list[float]:
    """exp(x_j / T) / sum_k exp(x_k / T), shifted by the maximum so that nothing overflows."""
    top = max(logits)
    weights = [math.exp((value - top) / temperature) for value in logits]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def sigmoid(value: float) -> float:
    """1 / (1 + exp(-x)) without overflow on either side."""
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-value))
    small = math.exp(value)
    return small / (1.0 + small)


UNIT_MAPS: Mapping[UnitMap, Callable[[float], float]] = {
    "identity": lambda value: value,
    "sigmoid": sigmoid,
    "half": lambda value: (value + 1.0) / 2.0,
}


def _classes(
    row: Sequence[float], names: Sequence[StepClass], temperature: float, neutral_is_positive: bool
) -> Reading:
    found = dict(zip(names, softmax(row, temperature), strict=True))
    probabilities = {name: found.get(name, 0.0) for name in ("positive", "neutral", "negative")}
    score = probabilities["positive"] + (probabilities["neutral"] if neutral_is_positive else 0.0)
    return Reading(min(score, 1.0), tuple(row), probabilities)


def _read_verdict(spec: GenerativeVerdict, row: Sequence[float]) -> Reading:
    return _classes(row, ("positive", "negative"), spec.temperature, neutral_is_positive=False)


def _read_contrast(spec: TokenContrast, row: Sequence[float]) -> Reading:
    if spec.normalise == "pair":
        return _classes(row, spec.classes, spec.temperature, spec.neutral_is_positive)
    positive, negative, log_mass = (value / spec.temperature for value in row)
    found = {"positive": math.exp(positive - log_mass), "neutral": 0.0, "negative": math.exp(negative - log_mass)}
    return Reading(min(found["positive"], 1.0), tuple(row), found)


def _read_classification(spec: TokenClassification, row: Sequence[float]) -> Reading:
    reading = _classes(row, spec.classes, spec.temperature, spec.neutral_is_positive)
    if spec.reduce == "mass" or reading.probabilities is None:
        return reading
    difference = reading.probabilities["positive"] - reading.probabilities["negative"]
    return Reading(difference, reading.raw, reading.probabilities)


def _activated(value: float, activation: Activation, raw: Sequence[float]) -> Reading:
    return Reading(sigmoid(value) if activation == "sigmoid" else value, tuple(raw), None)


def _read_value(spec: ValueHead, row: Sequence[float]) -> Reading:
    (value,) = row
    return _activated(value / spec.temperature, spec.activation, row)


def _read_scalar(spec: SequenceScalar, row: Sequence[float]) -> Reading:
    (value,) = row
    return _activated((value - spec.mean) / spec.std / spec.temperature, spec.activation, row)


def _read_log_ratio(spec: LogRatio, row: Sequence[float]) -> Reading:
    (value,) = row
    return Reading(spec.beta * value / spec.temperature, (value,), None)


READERS: Mapping[str, Callable[[Any, Sequence[float]], Reading]] = {
    "token_contrast": _read_contrast,
    "token_classification": _read_classification,
    "value_head": _read_value,
    "sequence_scalar": _read_scalar,
    "log_ratio": _read_log_ratio,
    "generative_verdict": _read_verdict,
}


def _since_last_step(rows: Rows) -> Rows:
    """Cumulative sums to each step's own share."""
    before = (0.0, *(value for (value,) in rows))
    return tuple((value - earlier,) for (value,), earlier in zip(rows, before, strict=False))


def read(profile: Profile, rows: Rows, num_expected: int) -> tuple[Reading, ...]:
    """One reading per row.

    Raises `StepCountMismatch` when there are not as many rows as steps, and `NonFiniteScore` when a model gave NaN
    or infinity: such a value must never travel on as a reward.
    """
    if len(rows) != num_expected:
        raise StepCountMismatch(expected=num_expected, got=len(rows))
    for index, row in enumerate(rows):
        if not all(math.isfinite(value) for value in row):
            raise NonFiniteScore(f"the model gave a value that is not finite at step {index}")
    if isinstance(profile.readout, LogRatio) and not profile.readout.cumulative:
        rows = _since_last_step(rows)
    reader = READERS[profile.readout.method]
    return tuple(reader(profile.readout, row) for row in rows)

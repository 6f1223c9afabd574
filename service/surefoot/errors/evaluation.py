"""Errors of an evaluation whose data cannot give what is asked of it."""

from __future__ import annotations

from surefoot.errors.base import SurefootError


class EvaluationError(SurefootError):
    """The data, or the model, give nothing to measure."""


class LabelsDegenerate(EvaluationError):
    """The labels lack one of the sides that are to be told apart."""

    code = "labels_degenerate"


class ScaleNotProbability(EvaluationError):
    """The measure compares probabilities with labels, and the profile's scores are none."""

    code = "scale_not_probability"


class PoolsTooSmall(EvaluationError):
    """There is no pool of candidates, or one holds fewer than are to be drawn from it."""

    code = "pools_too_small"

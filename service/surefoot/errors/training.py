"""Errors of a training run."""

from __future__ import annotations

from surefoot.errors.base import SurefootError


class TrainingError(SurefootError):
    """A model cannot be trained as it is asked for."""


class ExamplesInvalid(TrainingError):
    """The rows give nothing to learn from."""

    code = "examples_invalid"


class NotTrainable(TrainingError):
    """The profile reads values that no loss is defined for here."""

    code = "not_trainable"


class LossNotFinite(TrainingError):
    """A batch gave a loss or a gradient that is not finite; nothing was learned from it."""

    code = "loss_not_finite"


class RunMismatch(TrainingError):
    """The directory holds another run's work: continuing it with these data and options would mix two runs."""

    code = "run_mismatch"


class TrainerMissing(TrainingError):
    """The libraries that training needs are not installed."""

    code = "trainer_missing"

"""Errors of one item: found in `ItemFailure.error`."""

from __future__ import annotations

from surefoot_client.errors.base import ServerError


class ItemError(ServerError):
    """One item failed; its neighbours did not."""

    code = "item_error"


class EmptyProblem(ItemError):
    """The problem has no text."""

    code = "empty_problem"


class NoSteps(ItemError):
    """The solution has no steps."""

    code = "no_steps"


class EmptyStep(ItemError):
    """A step has no text."""

    code = "empty_step"


class UnsupportedMessages(ItemError):
    """The conversation has a shape that cannot be scored."""

    code = "unsupported_messages"


class TooManySteps(ItemError):
    """The solution has more steps than the server takes."""

    code = "too_many_steps"


class InputTooLong(ItemError):
    """The rendered input exceeds the model's token limit."""

    code = "input_too_long"


class UnsafeText(ItemError):
    """The text spells a control token that the model's tokenizer cannot keep apart from a real one."""

    code = "unsafe_text"


class StepCountMismatch(ItemError):
    """The model gave another number of scores than there are steps."""

    code = "step_count_mismatch"


class NonFiniteScore(ItemError):
    """The model's score was NaN or infinite."""

    code = "non_finite_score"


class DeadlineExceeded(ItemError):
    """The item's deadline passed before it ran."""

    code = "deadline_exceeded"
    retryable = True


class BackendFailed(ItemError):
    """The model's forward pass failed."""

    code = "backend_failed"
    retryable = True


class ModelStopped(ItemError):
    """The model computes no more: its forward pass is stuck, or its engine is lost. The item is not to blame."""

    code = "model_stopped"
    retryable = True

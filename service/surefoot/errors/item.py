"""Errors of one item: reported in its place, its neighbours go on."""

from __future__ import annotations

from surefoot.errors.base import SurefootError


class ItemError(SurefootError):
    """One item failed; it is reported in that item's place."""


class EmptyProblem(ItemError):
    """The problem holds no text."""

    code = "empty_problem"


class NoSteps(ItemError):
    """The solution holds no text, or an empty list of steps."""

    code = "no_steps"


class EmptyStep(ItemError):
    """A given step holds no text: scores would no longer line up with what was sent."""

    code = "empty_step"


class UnsupportedMessages(ItemError):
    """The conversation has turns that this model cannot read."""

    code = "unsupported_messages"


class UnsafeText(ItemError):
    """Text that the tokenizer cannot keep as plain text: it gives a control token, or holds half a character."""

    code = "unsafe_text"


class TooManySteps(ItemError):
    """The solution has more steps than one item may have."""

    code = "too_many_steps"

    def __init__(self, num_steps: int, limit: int) -> None:
        super().__init__(
            f"the solution has {num_steps} steps, limit {limit}; send a shorter one, or raise limits.max_steps",
            param="steps",
        )
        self.num_steps = num_steps
        self.limit = limit


class InputTooLong(ItemError):
    """The rendered input exceeds the limit; nothing is ever cut off silently.

    With `at_least`, `num_tokens` is a lower bound: so long a text is not even tokenised.
    """

    code = "input_too_long"

    def __init__(self, num_tokens: int, limit: int, *, at_least: bool = False) -> None:
        super().__init__(f"the rendered input has {'at least ' if at_least else ''}{num_tokens} tokens, limit {limit}")
        self.num_tokens = num_tokens
        self.limit = limit


class StepCountMismatch(ItemError):
    """The model gave another number of values than there are steps."""

    code = "step_count_mismatch"

    def __init__(self, expected: int, got: int) -> None:
        super().__init__(f"{expected} steps but {got} scores")


class NonFiniteScore(ItemError):
    """The model gave NaN or infinity, which must not travel on as a reward."""

    code = "non_finite_score"


class DeadlineExceeded(ItemError):
    """The item had not run when its deadline passed."""

    code = "deadline_exceeded"
    retryable = True


class BackendFailed(ItemError):
    """The forward pass failed."""

    code = "backend_failed"
    retryable = True


class ModelStopped(ItemError):
    """The model computes no more: a forward pass is stuck, its engine is lost or its queue's loop has crashed.

    The item is not to blame. Another replica can take it, or this one once it runs again.
    """

    code = "model_stopped"
    retryable = True

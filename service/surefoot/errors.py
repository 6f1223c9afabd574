"""Every error that surefoot raises on purpose, by meaning.

SurefootError
├── ItemError               one item failed; its neighbours and the request go on
│   ├── EmptyProblem · NoSteps · EmptyStep · UnsupportedMessages
│   ├── InputTooLong · UnsafeText · StepCountMismatch · NonFiniteScore
│   └── DeadlineExceeded · BackendFailed
├── RequestError            the whole request is answered with this error
│   ├── InvalidRequest · UnrecognisedBody · AggregationNotDefined
│   ├── ModelNotFound · GeneratorNotFound · WrongModelKind
│   ├── QueueFull · GroupTooLarge · BodyTooLarge · RequestTimeout
│   └── NotReady · SamplerUnavailable
└── StartupError            the process cannot serve what its configuration asks for
    └── CheckpointMissing · CheckpointDamaged · ProfileInvalid · SettingsInvalid · PortInUse · GpuMemoryTooSmall

`code` is stable and part of the API. HTTP statuses are known to `api/errors.py` alone.
"""

from __future__ import annotations

from typing import ClassVar


class SurefootError(Exception):
    """Base of all deliberate errors.

    `code` is a stable identifier, `retryable` says whether the same call may succeed later, `param` names the
    field at fault where there is one. Messages never hold user text: they may be logged.
    """

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


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


class InputTooLong(ItemError):
    """The rendered input exceeds the limit; nothing is ever cut off silently."""

    code = "input_too_long"

    def __init__(self, num_tokens: int, limit: int) -> None:
        super().__init__(f"the rendered input has {num_tokens} tokens, limit {limit}")
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


class RequestError(SurefootError):
    """The whole request is answered with this error."""


class InvalidRequest(RequestError):
    """A field has a value that cannot be served; `param` names it."""

    code = "invalid_request"


class UnrecognisedBody(RequestError):
    """The body belongs to no dialect that this route speaks."""

    code = "unrecognised_body"


class AggregationNotDefined(RequestError):
    """The model's scale has no such aggregate."""

    code = "aggregation_not_defined"


class ModelNotFound(RequestError):
    """No model of that name, or none of that kind, is configured."""

    code = "model_not_found"


class GeneratorNotFound(RequestError):
    """No generator of that name is configured."""

    code = "generator_not_found"


class WrongModelKind(RequestError):
    """A process model was named where an outcome model is needed, or the other way round."""

    code = "wrong_model_kind"


class QueueFull(RequestError):
    """There is no room in the queue now; `retry_after_s` estimates when there is."""

    code = "queue_full"
    retryable = True

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class GroupTooLarge(RequestError):
    """The request is larger than the queue could ever hold."""

    code = "group_too_large"


class BodyTooLarge(RequestError):
    """The body has more bytes than allowed."""

    code = "body_too_large"


class RequestTimeout(RequestError):
    """The whole request took too long."""

    code = "request_timeout"
    retryable = True


class NotReady(RequestError):
    """The model is loading, failed to load, or the service is stopping."""

    code = "not_ready"
    retryable = True


class SamplerUnavailable(RequestError):
    """The generator cannot be used now."""

    code = "sampler_unavailable"
    retryable = True


class StartupError(SurefootError):
    """The process cannot serve what its configuration asks for."""


class CheckpointMissing(StartupError):
    """There is no checkpoint where one was named."""

    code = "checkpoint_missing"


class CheckpointDamaged(StartupError):
    """The checkpoint is incomplete, or not what the profile reads."""

    code = "checkpoint_damaged"


class ProfileInvalid(StartupError):
    """The profile cannot be used."""

    code = "profile_invalid"


class SettingsInvalid(StartupError):
    """A setting has a value that cannot be served."""

    code = "settings_invalid"


class PortInUse(StartupError):
    """Something else listens on the port."""

    code = "port_in_use"


class GpuMemoryTooSmall(StartupError):
    """Sampler and scorer do not fit on the GPU as asked."""

    code = "gpu_memory_too_small"
